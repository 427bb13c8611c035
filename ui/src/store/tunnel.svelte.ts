import { asFailure, type Failure } from '../errors/failure';
import type { Host } from '../host/contract';
import type {
  TunnelDetail,
  TunnelLogLine,
  TunnelProviderList,
  TunnelProviderView,
  TunnelStart,
  TunnelState,
} from '../host/types';
import { readCollection, readTunnelDetail, readTunnelState } from './read';

/** New lines of the log are fetched this long after they are told of, while somebody looks. In milliseconds. */
const LOG_EVERY_MS = 250;

/**
 * The tunnel as the engine tells it, its log while somebody looks at it, and the programs that could be started. The
 * stream carries the state without the log; the log is fetched when it has grown.
 */
export class TunnelStore {
  state = $state.raw<TunnelState | null>(null);
  log = $state.raw<TunnelLogLine[]>([]);
  /** Empty until they are asked for: finding them and their versions takes a moment. */
  providers = $state.raw<TunnelProviderView[]>([]);
  /** Why the state, or the programs, could not be fetched. */
  failure = $state.raw<Failure | null>(null);
  providersFailure = $state.raw<Failure | null>(null);
  readonly #host: Pick<Host, 'call'>;
  /** Grows with each state taken, so that an answer that was asked for before it does not undo it. */
  #taken = 0;
  /** Grows with each request, so that the log of an older one does not take the place of a newer one's. */
  #asked = 0;
  #answered = 0;
  #logWatchers = 0;
  #logTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host;
  }

  /** Whether a program runs, or is about to. */
  get runs(): boolean {
    return this.state !== null && this.state.status !== 'stopped' && this.state.status !== 'failed';
  }

  /** The provider that runs, or ran last. */
  get provider(): TunnelProviderView | null {
    return this.providers.find(({ slug }) => slug === this.state?.provider) ?? null;
  }

  /** Fetches the state. It never rejects: a window whose tunnel is not known still shows everything else. */
  async load(): Promise<void> {
    try {
      await this.#ask('tunnel.get');
      this.failure = null;
    } catch (thrown) {
      this.failure = asFailure(thrown);
    }
  }

  async loadProviders(): Promise<void> {
    try {
      const list = await this.#host.call<TunnelProviderList>('tunnel.providers');
      this.providers = readCollection<TunnelProviderView>(list, 'providers');
      this.providersFailure = null;
    } catch (thrown) {
      this.providersFailure = asFailure(thrown);
    }
  }

  /** Takes the data of a `tunnel` event. */
  apply(data: unknown): void {
    const state = readTunnelState(data);
    if (!state) return;
    const before = this.state?.log_lines;
    this.#taken += 1;
    this.state = state;
    if (state.log_lines !== before) this.#logSoon();
  }

  /** Rejects with the engine's failure, whose `field` names what it does not take. */
  async start(wanted: TunnelStart): Promise<void> {
    await this.#ask('tunnel.start', wanted);
  }

  async stop(): Promise<void> {
    await this.#host.call('tunnel.stop');
    await this.#ask('tunnel.get');
  }

  /** Says that the providers know the changed URL. */
  async acknowledge(): Promise<void> {
    await this.#ask('tunnel.acknowledge');
  }

  async probe(): Promise<void> {
    await this.#ask('tunnel.probe');
  }

  /** Keeps the log current until the returned function is called. */
  watchLog(): () => void {
    this.#logWatchers += 1;
    void this.load();
    return () => {
      this.#logWatchers -= 1;
      if (this.#logWatchers > 0) return;
      clearTimeout(this.#logTimer);
      this.#logTimer = undefined;
    };
  }

  #logSoon(): void {
    if (this.#logWatchers === 0 || this.#logTimer !== undefined) return;
    this.#logTimer = setTimeout(() => {
      this.#logTimer = undefined;
      void this.load();
    }, LOG_EVERY_MS);
  }

  async #ask(
    operation: 'tunnel.get' | 'tunnel.start' | 'tunnel.acknowledge' | 'tunnel.probe',
    body?: TunnelStart,
  ): Promise<void> {
    const taken = this.#taken;
    this.#asked += 1;
    const mine = this.#asked;
    const answer = await this.#host.call<TunnelDetail>(operation, body ? { body } : {});
    const { state, log } = readTunnelDetail(answer);
    if (mine > this.#answered) {
      this.#answered = mine;
      this.log = log;
    }
    // A state that the stream told meanwhile is the newer one.
    if (taken !== this.#taken) return;
    this.#taken += 1;
    this.state = state;
  }
}
