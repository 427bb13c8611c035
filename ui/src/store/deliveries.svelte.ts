import { asFailure, type Failure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { DeliveryList, DeliverySummary } from '../host/types';
import { isFiltered, matches, NO_FILTER, sameFilter, type Filter } from './filter';
import { nextFrame } from './frame';
import { Pages } from './pages.svelte';
import { Ranks } from './ranks';
import { deletedId, readDelivery, readDeliveryList } from './read';

/** Rows of a page. */
const PAGE_ROWS = 100;
/** Rows that the API gives at a time. */
const PAGE_ROWS_MAX = 500;
/** Rows kept in memory; others are fetched again when they are looked at. */
const ROWS_MAX = 5_000;
/** The total is asked for again at most this often while rows come in. In milliseconds. */
const TOTAL_MS = 1_000;

/** One row of the list as it can be shown now. */
export type ListRow = DeliverySummary | 'loading' | 'failed';

/**
 * The list of deliveries: pages fetched by rank where somebody looks, joined with live rows. It may be a million long;
 * only what was looked at lately is held. Live rows are shown once a frame, so that a storm costs one update each time.
 */
export class DeliveryStore {
  total = $state(0);
  totalIsMinimum = $state(false);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<Failure | null>(null);
  filter = $state.raw<Filter>(NO_FILTER);
  /** Rows that came above what is looked at, less those that went: by so many the list has to move to hold still. */
  drift = $state(0);
  /** Whether the list holds still also at its top. */
  held = false;
  /** Changes with each change of the rows; reading a row depends on it. */
  #version = $state(0);

  readonly #host: Host;
  readonly #ranks = new Ranks<DeliverySummary>();
  readonly #pages: Pages;
  readonly #hidden = new Map<string, DeliverySummary>();
  #view = { first: 0, last: 0 };
  /** The greatest number seen: what is above it is new. */
  #newest = 0;
  #fetch: AbortController | null = null;
  #fetching = false;
  /** What the stream told while rows were being fetched: it is newer than their answer. */
  #meanwhile: unknown[] = [];
  #pending: unknown[] = [];
  #frame: (() => void) | null = null;
  #totalTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#pages = new Pages(this.#ranks, {
      rows: PAGE_ROWS,
      // Counted from the newest row that is shown: what came since has not moved the ranks yet.
      fetch: (place, signal) => this.#askShown({ before: this.#newest + 1, ...place }, signal),
      take: (start, page) => this.#holding(() => this.#takePage(start, page)),
    });
  }

  /** How long the list is shown to be. With a total that is a minimum it grows as its end comes near. */
  get length(): number {
    void this.#version;
    const known = Math.max(this.total, this.#ranks.end);
    return this.totalIsMinimum ? Math.max(known, this.#ranks.end + PAGE_ROWS) : known;
  }

  /** The rows held, newest first. */
  get rows(): DeliverySummary[] {
    void this.#version;
    return this.#ranks.all();
  }

  row(rank: number): ListRow {
    void this.#version;
    return this.#ranks.at(rank) ?? (this.#pages.failed(rank) ? 'failed' : 'loading');
  }

  get(id: string): DeliverySummary | undefined {
    void this.#version;
    return this.#ranks.get(id);
  }

  rankOf(id: string): number | null {
    void this.#version;
    return this.#ranks.rankOf(id);
  }

  /** Why the pages in view could not be fetched. */
  get pageFailure(): Failure | null {
    return this.#pages.failure;
  }

  /** Tells which ranks are shown; what is missing of them is fetched. */
  look(first: number, last: number): void {
    this.#view = { first, last };
    this.#fill();
  }

  retryPages(): void {
    this.#pages.retry();
    this.#fill();
  }

  /** Fetches what is shown anew, and keeps it in its place. Throws what went wrong, after showing it. */
  async load(): Promise<void> {
    const known = this.phase === 'ready';
    this.#fetch?.abort();
    this.#pages.stop();
    const controller = new AbortController();
    this.#fetch = controller;
    this.#fetching = true;
    this.#meanwhile = [];
    try {
      const page = await this.#loadAround(known ? this.#anchor() : null, controller.signal);
      if (controller.signal.aborted || !page) return;
      this.phase = 'ready';
      this.failure = null;
      this.#fill();
    } catch (thrown) {
      if (controller.signal.aborted) return;
      this.failure = asFailure(thrown);
      // What was shown stays true as of then; the connection says that it is no longer live.
      if (!known) this.phase = 'failed';
      throw this.failure;
    } finally {
      if (this.#fetch === controller) {
        this.#fetching = false;
        this.#meanwhile = [];
      }
    }
  }

  /** Shows what matches `filter`. */
  setFilter(filter: Filter): void {
    if (sameFilter(filter, this.filter) && this.phase === 'ready') return;
    this.filter = filter;
    this.#pages.stop();
    this.#ranks.clear();
    this.#view = { first: 0, last: 0 };
    this.#version += 1;
    this.phase = 'loading';
    void this.load().catch(() => undefined);
  }

  /** Takes the data of a `delivery` event. */
  apply(data: unknown): void {
    this.#pending.push(data);
    if (this.#fetching) this.#meanwhile.push(data);
    this.#frame ??= nextFrame(() => this.flush());
  }

  /** Takes a row from an answer. Where the live stream has told of it already, that is newer: the answer may be late. */
  learn(row: DeliverySummary): void {
    const told = this.#pending.some((one) => (one as { id?: unknown } | null)?.id === row.id);
    if (!told && !this.#ranks.has(row.id)) this.apply(row);
  }

  /** Shows the live rows that have come in. */
  flush(): void {
    this.#frame?.();
    this.#frame = null;
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length > 0) this.#holding(() => this.#takeLive(pending));
  }

  remove(id: string): void {
    this.apply({ id, deleted: true });
    this.flush();
  }

  /** Takes rows out of the list that are to be deleted soon; totals leave them out, too. */
  hide(rows: readonly DeliverySummary[]): void {
    this.#holding(() => {
      for (const row of rows) {
        this.#hidden.set(row.id, row);
        if (this.#ranks.remove(row.id) !== null || matches(this.filter, row)) this.total -= 1;
      }
    });
  }

  /** Brings back rows that were hidden. */
  unhide(rows: readonly DeliverySummary[]): void {
    this.#holding(() => {
      for (const { id } of [...rows].sort((a, b) => b.seq - a.seq)) {
        const row = this.#hidden.get(id);
        if (!row || !this.#hidden.delete(id) || !matches(this.filter, row)) continue;
        const placed = this.#ranks.has(id) ? 0 : this.#ranks.insert(row, true);
        // Where all rows down to the last are held, it is the last now.
        if (placed === 'below' && this.#ranks.end === this.total) this.#ranks.put(this.total, [row]);
        this.total += 1;
      }
    });
    this.#askTotal();
  }

  /** Hidden rows have been deleted; the engine's next answers leave them out by themselves. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#hidden.delete(id);
  }

  #anchor(): DeliverySummary | null {
    for (let rank = this.#view.first; rank < this.#view.last; rank += 1) {
      const row = this.#ranks.at(rank);
      if (row) return rank === 0 && !this.held ? null : row;
    }
    return null;
  }

  /** The page that holds what is looked at, or the newest. */
  async #loadAround(anchor: DeliverySummary | null, signal: AbortSignal): Promise<DeliveryList | null> {
    const place = anchor ? { before: anchor.seq + 1, rank: true } : {};
    const page = await this.#askShown({ ...place, limit: PAGE_ROWS }, signal);
    if (signal.aborted) return null;
    // Nothing is left from there on: what there is begins at the top.
    if (anchor && page.deliveries.length === 0) return this.#loadAround(null, signal);
    this.flush();
    const rank = anchor ? this.#rankWithoutHidden(page, this.#ranks.rankOf(anchor.id) ?? this.#view.first) : 0;
    this.#holding(() => {
      this.#ranks.clear();
      this.#takePage(rank, page);
      this.#takeLive(this.#meanwhile);
    });
    return page;
  }

  /** The engine's rank of a page less the hidden rows above it; `fallback` where the engine cannot tell. */
  #rankWithoutHidden(page: DeliveryList, fallback: number): number {
    const first = page.deliveries[0]?.seq ?? 0;
    if (page.rank === null) return fallback;
    return page.rank - this.#hiddenMatching().filter((row) => row.seq > first).length;
  }

  #hiddenMatching(): DeliverySummary[] {
    return [...this.#hidden.values()].filter((row) => matches(this.filter, row));
  }

  /** A page with at least one row that is shown, unless the end is there. */
  async #askShown(query: Record<string, number | boolean | undefined>, signal: AbortSignal): Promise<DeliveryList> {
    let page = await this.#ask(query, signal);
    while (page.next_before !== null && page.deliveries.every((row) => this.#hidden.has(row.id))) {
      page = await this.#ask({ before: page.next_before, limit: PAGE_ROWS_MAX }, signal);
    }
    // What the stream told before this answer is older.
    this.flush();
    return page;
  }

  async #ask(query: Record<string, number | boolean | undefined>, signal: AbortSignal): Promise<DeliveryList> {
    const input = { query: { ...this.filter, limit: PAGE_ROWS, ...query } };
    return readDeliveryList(await this.#host.call('deliveries.list', input, signal));
  }

  #takePage(start: number, page: DeliveryList): void {
    for (const row of page.deliveries) this.#newest = Math.max(this.#newest, row.seq);
    const shown = page.deliveries.filter((row) => !this.#hidden.has(row.id));
    this.#ranks.put(start, shown);
    this.#setTotal(page.total, page.total_is_minimum);
    if (page.next_before !== null) return;
    // The end is seen: the total is known, however little was counted.
    this.total = shown.length > 0 ? this.#ranks.end : start;
    this.totalIsMinimum = false;
  }

  #takeLive(events: readonly unknown[]): void {
    const latest = new Map<string, DeliverySummary | null>();
    for (const data of events) {
      const gone = deletedId(data);
      if (gone) latest.set(gone, null);
      const row = gone ? null : readDelivery(data);
      if (row) latest.set(row.id, row);
    }
    const fresh: DeliverySummary[] = [];
    const newest = this.#newest;
    for (const [id, row] of latest) {
      if (this.#hidden.has(id)) {
        if (row) this.#hidden.set(id, row);
      } else if (row === null || !matches(this.filter, row)) {
        if (this.#ranks.remove(id) !== null) this.total -= 1;
      } else if (!this.#ranks.replace(row)) {
        if (row.seq > newest) fresh.push(row);
        else this.#takeLate(row);
      }
      this.#newest = Math.max(this.#newest, row?.seq ?? 0);
    }
    this.#takeFresh(fresh);
  }

  /** A row that is not new, and not held: one that fits the filter only now, or that nobody looks at. */
  #takeLate(row: DeliverySummary): void {
    if (typeof this.#ranks.insert(row, false) === 'number') this.total += 1;
    else if (isFiltered(this.filter)) this.#askTotal();
  }

  #takeFresh(fresh: DeliverySummary[]): void {
    fresh.sort((a, b) => b.seq - a.seq);
    this.#ranks.prepend(fresh, PAGE_ROWS);
    this.total += fresh.length;
  }

  /** Changes the rows, and notes by how much what is looked at moved. */
  #holding(change: () => void): void {
    const seen: { id: string; rank: number }[] = [];
    for (let rank = this.#view.first; rank < this.#view.last; rank += 1) {
      const row = this.#ranks.at(rank);
      if (row) seen.push({ id: row.id, rank });
    }
    const length = this.length;
    change();
    // The first that is still there tells; one that was deleted has made room for the next.
    for (const { id, rank } of seen) {
      const now = this.#ranks.rankOf(id);
      if (now === null) continue;
      const gone = seen.findIndex((one) => one.id === id);
      const moved = now - rank + gone;
      this.drift += moved;
      this.#view = { first: this.#view.first + moved, last: this.#view.last + moved };
      break;
    }
    this.#ranks.evict(ROWS_MAX);
    this.#version += 1;
    this.#fill();
    if (length !== this.length) this.#askTotal();
  }

  #fill(): void {
    if (this.phase !== 'ready') return;
    const { first, last } = this.#view;
    this.#ranks.touch(first, last);
    this.#pages.want(first, last, this.length);
  }

  #setTotal(total: number, isMinimum: boolean): void {
    const shown = Math.max(0, total - this.#hiddenMatching().length);
    // Whoever has seen the end knows more than a minimum says.
    if (isMinimum && !this.totalIsMinimum && this.phase === 'ready' && this.total >= shown) return;
    this.total = shown;
    this.totalIsMinimum = isMinimum;
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
          this.flush();
          if (this.filter === filter) this.#setTotal(page.total, page.total_is_minimum);
        })
        // The next change or the reconnect asks again; the connection is shown as lost meanwhile.
        .catch(() => undefined);
    }, TOTAL_MS);
  }
}
