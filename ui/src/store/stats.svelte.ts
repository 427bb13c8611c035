import type { Host } from '../host/contract';
import type { Health, Stats } from '../host/types';

/** Figures of the status line are asked for this often. In milliseconds. */
const EVERY_MS = 5_000;

/** The engine's figures and version. */
export class StatsStore {
  stats = $state.raw<Partial<Stats> | null>(null);
  version = $state<string | null>(null);
  readonly #host: Host;
  #timer: ReturnType<typeof setInterval> | undefined;

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
    this.#timer ??= setInterval(() => {
      this.#host
        .call<Partial<Stats>>('stats.get')
        .then((stats) => (this.stats = stats))
        // Old figures would look current: show none.
        .catch(() => (this.stats = null));
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
