import type { Host } from '../host/contract';
import type { Health, Stats } from '../host/types';

/** Figures of the status line are asked for this often. In milliseconds. */
const EVERY_MS = 5_000;

/** After a change they are asked for at once, but not more often than this. In milliseconds. */
const AFTER_CHANGE_MS = 250;

/** The engine's figures and version. */
export class StatsStore {
  stats = $state.raw<Partial<Stats> | null>(null);
  version = $state<string | null>(null);
  readonly #host: Host;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pending: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  async load(): Promise<void> {
    const [stats, health] = await Promise.all([
      this.#host.call<Partial<Stats>>('stats.get'),
      this.#host.call<Health>('health.get'),
    ]);
    this.stats = stats;
    this.version = health.version;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#ask(), EVERY_MS);
  }

  /** Something changed: the figures follow soon, however many changes there are. */
  changed(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      this.#ask();
    }, AFTER_CHANGE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#pending);
    this.#timer = undefined;
    this.#pending = undefined;
  }

  #ask(): void {
    this.#host
      .call<Partial<Stats>>('stats.get')
      .then((stats) => (this.stats = stats))
      // Old figures would look current: show none.
      .catch(() => (this.stats = null));
  }
}
