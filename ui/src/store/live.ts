import { asFailure, Failure } from '../errors/failure';
import type { Host, LiveEvent } from '../host/contract';

/** How the UI stands to the engine. It is shown at all times. */
export type Connection =
  | { state: 'connecting' }
  | { state: 'catching_up' }
  | { state: 'live' }
  | { state: 'lost'; failure: Failure; retryAt: number }
  | { state: 'unauthorized' };

/** Waits between attempts to reconnect, in milliseconds; the last one repeats. */
const BACKOFF_MS = [250, 500, 1_000, 2_000, 5_000];
/** Events kept while a fetch is under way; beyond it everything is fetched anew. */
const QUEUED_EVENTS_MAX = 10_000;

export type LiveParts = {
  host: Pick<Host, 'events'>;
  /** Fetches everything that the events change. */
  sync: () => Promise<void>;
  apply: (event: LiveEvent) => void;
  onConnection: (connection: Connection) => void;
};

/**
 * Joins fetched state to the live stream without a gap: subscribe, then fetch while events queue up, then drain. A
 * `resync` from the engine, or a queue that overflows, fetches anew. A lost stream goes on after its last event.
 */
export class LiveJoin {
  readonly #parts: LiveParts;
  readonly #stopped = new AbortController();
  #attempt = new AbortController();
  #lastEventId: string | null = null;
  #queue: LiveEvent[] = [];
  #syncing = false;
  #again = false;
  #synced = false;
  #failures = 0;
  #wake: (() => void) | null = null;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** Runs until `stop`, or until the engine refuses the token. */
  async run(): Promise<void> {
    this.#parts.onConnection({ state: 'connecting' });
    while (!this.#stopped.signal.aborted) {
      const failure = await this.#once();
      if (this.#stopped.signal.aborted) return;
      if (failure.code === 'unauthorized') {
        this.#parts.onConnection({ state: 'unauthorized' });
        return;
      }
      const wait = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0;
      this.#failures += 1;
      this.#parts.onConnection({ state: 'lost', failure, retryAt: Date.now() + wait });
      await this.#sleep(wait);
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.#attempt.abort();
    this.#wake?.();
  }

  /** Ends the wait for the next attempt. */
  retryNow(): void {
    this.#wake?.();
  }

  async #once(): Promise<Failure> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    let cause: Failure | null = null;
    const resync = async () => {
      const failure = await this.#resync(attempt.signal);
      if (!failure) return;
      cause = failure;
      attempt.abort();
    };
    try {
      await this.#parts.host.events(
        this.#lastEventId,
        {
          onOpen: () => {
            if (this.#synced) this.#becomeLive();
            else void resync();
          },
          onEvent: (event) => this.#take(event, resync),
        },
        attempt.signal,
      );
    } catch (thrown) {
      cause ??= asFailure(thrown);
    }
    attempt.abort();
    return cause ?? new Failure('unreachable', 'The event stream ended.');
  }

  #take(event: LiveEvent, resync: () => Promise<void>): void {
    if (event.id) this.#lastEventId = event.id;
    if (event.event === 'resync') {
      void resync();
    } else if (!this.#syncing) {
      this.#parts.apply(event);
    } else if (this.#queue.length < QUEUED_EVENTS_MAX) {
      this.#queue.push(event);
    } else {
      this.#queue = [];
      this.#again = true;
    }
  }

  /** Fetches everything while events queue, then drains them. Returns why it could not. */
  async #resync(signal: AbortSignal): Promise<Failure | null> {
    if (this.#syncing) {
      this.#again = true;
      return null;
    }
    this.#syncing = true;
    this.#synced = false;
    this.#parts.onConnection({ state: 'catching_up' });
    try {
      do {
        this.#again = false;
        await this.#parts.sync();
        if (signal.aborted) return null;
      } while (this.#again);
      this.#synced = true;
      return null;
    } catch (thrown) {
      return asFailure(thrown);
    } finally {
      this.#syncing = false;
      const queued = this.#queue;
      this.#queue = [];
      if (this.#synced) {
        for (const event of queued) this.#parts.apply(event);
        this.#becomeLive();
      }
    }
  }

  #becomeLive(): void {
    this.#failures = 0;
    this.#parts.onConnection({ state: 'live' });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const wake = () => done();
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = wake;
    });
  }
}
