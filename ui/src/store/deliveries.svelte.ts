import { asFailure, type Failure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { DeliveryList, DeliverySummary } from '../host/types';
import { matches, NO_FILTER, type Filter } from './filter';
import { mergeRows } from './order';
import { deletedId, readDelivery, readDeliveryList } from './read';

/** Rows asked for at a time. */
const PAGE_ROWS = 100;
/** Most rows that the API gives at a time. */
const PAGE_ROWS_MAX = 500;
/** Rows kept in memory; older ones are fetched again when they are scrolled to. */
const ROWS_MAX = 20_000;
/** Live rows are shown in batches, so that a storm costs one update each time. In milliseconds. */
const BATCH_MS = 25;
/** The total is asked for again at most this often while rows come in. In milliseconds. */
const TOTAL_MS = 1_000;

/**
 * The list of deliveries: fetched pages joined with live rows. Idempotent by id, ordered by `seq`. A fetched row never
 * replaces one that the live stream brought while the fetch was under way: the live one is newer.
 */
export class DeliveryStore {
  rows = $state.raw<DeliverySummary[]>([]);
  total = $state(0);
  totalIsMinimum = $state(false);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<Failure | null>(null);
  older = $state<'idle' | 'loading' | 'failed' | 'end'>('end');
  filter = $state.raw<Filter>(NO_FILTER);

  readonly #host: Host;
  #nextBefore: number | null = null;
  #fetch: AbortController | null = null;
  #fetching = 0;
  #stamp = 0;
  readonly #touched = new Map<string, number>();
  #pending: DeliverySummary[] = [];
  #batch: ReturnType<typeof setTimeout> | undefined;
  #totalTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Fetches the newest rows anew. Throws what went wrong, after showing it. */
  async load(): Promise<void> {
    const known = this.phase === 'ready';
    try {
      const done = await this.#fetchRows(null, this.rows.length, (page, fresh, since) => {
        const newer = this.rows.filter((row) => (this.#touched.get(row.id) ?? 0) > since);
        this.rows = mergeRows(fresh, newer);
        this.#setTotal(page.total, page.total_is_minimum);
        this.#setNext(page.next_before);
      });
      if (!done) return;
      this.phase = 'ready';
      this.failure = null;
    } catch (thrown) {
      this.failure = asFailure(thrown);
      // What was shown stays true as of then; the connection says that it is no longer live.
      if (!known) this.phase = 'failed';
      throw this.failure;
    }
  }

  /** Shows what matches `filter`. */
  setFilter(filter: Filter): void {
    this.filter = filter;
    this.rows = [];
    this.older = 'end';
    this.phase = 'loading';
    void this.load().catch(() => undefined);
  }

  /** Fetches the page behind the oldest row. */
  async loadOlder(): Promise<void> {
    if (this.#nextBefore === null || this.older === 'loading' || this.phase !== 'ready') return;
    this.older = 'loading';
    try {
      const done = await this.#fetchRows(this.#nextBefore, PAGE_ROWS, (page, fresh) => {
        this.rows = mergeRows(this.rows, fresh);
        this.#setNext(page.next_before);
      });
      if (!done && this.older === 'loading') this.older = 'idle';
    } catch {
      this.older = 'failed';
    }
  }

  /** Takes the data of a `delivery` event. */
  apply(data: unknown): void {
    const gone = deletedId(data);
    if (gone) return this.remove(gone);
    const row = readDelivery(data);
    if (!row) return;
    this.#touch(row.id);
    this.#pending.push(row);
    this.#batch ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Takes a row from an answer. Where the live stream has told of it already, that is newer: the answer may be late. */
  learn(row: DeliverySummary): void {
    const known = this.#pending.some((one) => one.id === row.id) || this.rows.some((one) => one.id === row.id);
    if (!known) this.apply(row);
  }

  /** Shows the live rows that have come in. */
  flush(): void {
    clearTimeout(this.#batch);
    this.#batch = undefined;
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    const latest = new Map(pending.map((row) => [row.id, row]));
    const known = new Set(this.rows.map((row) => row.id));
    const oldest = this.#nextBefore === null ? -Infinity : (this.rows.at(-1)?.seq ?? -Infinity);
    const fits: DeliverySummary[] = [];
    const misfits = new Set<string>();
    for (const row of latest.values()) {
      if (!matches(this.filter, row)) misfits.add(row.id);
      else if (known.has(row.id) || row.seq > oldest) fits.push(row);
    }
    const kept = misfits.size > 0 ? this.rows.filter((row) => !misfits.has(row.id)) : this.rows;
    this.rows = mergeRows(kept, fits);
    this.total += this.rows.length - known.size;
    this.#trim();
    this.#askTotal();
  }

  remove(id: string): void {
    this.#touch(id);
    this.#pending = this.#pending.filter((row) => row.id !== id);
    const rows = this.rows.filter((row) => row.id !== id);
    this.total -= this.rows.length - rows.length;
    this.rows = rows;
    this.#askTotal();
  }

  #touch(id: string): void {
    this.#stamp += 1;
    if (this.#fetching > 0) this.#touched.set(id, this.#stamp);
  }

  /**
   * Fetches at least `wanted` rows from `before` on, page by page, and hands them over together: a reader who has
   * scrolled far down keeps the place. Gives up, and returns false, when another fetch begins.
   */
  async #fetchRows(
    before: number | null,
    wanted: number,
    take: (last: DeliveryList, fresh: DeliverySummary[], since: number) => void,
  ): Promise<boolean> {
    this.#fetch?.abort();
    const controller = new AbortController();
    this.#fetch = controller;
    const since = this.#stamp;
    this.#fetching += 1;
    try {
      const limit = Math.min(PAGE_ROWS_MAX, Math.max(PAGE_ROWS, wanted));
      const rows: DeliverySummary[] = [];
      let next = before;
      let page: DeliveryList;
      do {
        const query = { ...this.filter, limit, before: next ?? undefined };
        page = readDeliveryList(await this.#host.call('deliveries.list', { query }, controller.signal));
        if (controller.signal.aborted) return false;
        rows.push(...page.deliveries);
        next = page.next_before;
      } while (next !== null && rows.length < wanted);
      this.flush();
      take(
        page,
        rows.filter((row) => (this.#touched.get(row.id) ?? 0) <= since),
        since,
      );
      return true;
    } catch (thrown) {
      if (controller.signal.aborted) return false;
      throw thrown;
    } finally {
      this.#fetching -= 1;
      if (this.#fetching === 0) this.#touched.clear();
    }
  }

  #setNext(next: number | null): void {
    this.#nextBefore = next;
    this.older = next === null ? 'end' : 'idle';
  }

  #setTotal(total: number, isMinimum: boolean): void {
    this.total = total;
    this.totalIsMinimum = isMinimum;
  }

  #trim(): void {
    if (this.rows.length <= ROWS_MAX) return;
    this.rows = this.rows.slice(0, ROWS_MAX);
    this.#setNext(this.rows.at(-1)?.seq ?? null);
  }

  /** The engine's own count, soon: what live rows add to it here is an estimate when a filter is set. */
  #askTotal(): void {
    this.#totalTimer ??= setTimeout(() => {
      this.#totalTimer = undefined;
      const filter = this.filter;
      this.#host
        .call('deliveries.list', { query: { ...filter, limit: 1 } })
        .then((answer) => {
          const page = readDeliveryList(answer);
          if (this.filter === filter) this.#setTotal(page.total, page.total_is_minimum);
        })
        // The next change or the reconnect asks again; the connection is shown as lost meanwhile.
        .catch(() => undefined);
    }, TOTAL_MS);
  }
}
