import type { Host } from '../host/contract';
import type { DeliveryList, Health, SignatureStatus, Stats } from '../host/types';

/** Figures of the status line are asked for this often. In milliseconds. */
const EVERY_MS = 5_000;

/** After a change they are asked for at once, but not more often than this. In milliseconds. */
const AFTER_CHANGE_MS = 250;

/** Verdicts of which the engine's figures say nothing: their lists do. */
const COUNTED_VERDICTS = ['invalid', 'missing'] as const satisfies readonly SignatureStatus[];

/** How many there are; `isMinimum` when there may be more. */
export type Count = { rows: number; isMinimum: boolean };

type Figures = { stats: Partial<Stats>; byVerdict: Partial<Record<SignatureStatus, Count>> };

/** The engine's figures and version. */
export class StatsStore {
  stats = $state.raw<Partial<Stats> | null>(null);
  /** Deliveries whose signature does not hold or is not there. */
  byVerdict = $state.raw<Figures['byVerdict']>({});
  version = $state<string | null>(null);
  readonly #host: Host;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pending: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  async load(): Promise<void> {
    const [figures, health] = await Promise.all([this.#figures(), this.#host.call<Health>('health.get')]);
    this.#show(figures);
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
    this.#figures()
      .then((figures) => this.#show(figures))
      // Old figures would look current: show none.
      .catch(() => this.#show(null));
  }

  async #figures(): Promise<Figures> {
    const [stats, ...counts] = await Promise.all([
      this.#host.call<Partial<Stats>>('stats.get'),
      ...COUNTED_VERDICTS.map((verdict) => this.#count(verdict)),
    ]);
    return { stats, byVerdict: Object.fromEntries(COUNTED_VERDICTS.map((verdict, at) => [verdict, counts[at]])) };
  }

  async #count(verdict: SignatureStatus): Promise<Count> {
    const query = { signature_status: verdict, limit: 1 };
    const { total, total_is_minimum } = await this.#host.call<DeliveryList>('deliveries.list', { query });
    return { rows: total, isMinimum: total_is_minimum };
  }

  #show(figures: Figures | null): void {
    this.stats = figures?.stats ?? null;
    this.byVerdict = figures?.byVerdict ?? {};
  }
}
