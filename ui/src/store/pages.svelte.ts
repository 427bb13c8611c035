import { asFailure, type Failure } from '../errors/failure';
import type { DeliveryList, DeliverySummary } from '../host/types';
import type { Marker, Ranks } from './ranks';

/** Rows fetched beyond what is shown, on either side. */
const AHEAD_ROWS = 40;
/** Pages asked for at once: whoever drags the scrollbar passes by most of them. */
const UNDER_WAY_MAX = 2;

/** Where a page lies: below the row of this number, or from the newest on, and behind so many more. */
export type Place = { before?: number; skip?: number; limit: number };

type Parts = {
  /** Rows of a page at most. */
  rows: number;
  fetch: (place: Place, signal: AbortSignal) => Promise<DeliveryList>;
  take: (start: number, page: DeliveryList) => void;
};

type UnderWay = { at: Marker; count: number; controller: AbortController };

/** Fetches the pages that are missing from what is shown, a few at a time, and remembers those that failed. */
export class Pages {
  failure = $state.raw<Failure | null>(null);
  readonly #ranks: Ranks<DeliverySummary>;
  readonly #parts: Parts;
  #wanted = { first: 0, last: 0 };
  #underWay: UnderWay[] = [];
  #failed: { at: Marker; count: number }[] = $state.raw([]);

  constructor(ranks: Ranks<DeliverySummary>, parts: Parts) {
    this.#ranks = ranks;
    this.#parts = parts;
  }

  failed(rank: number): boolean {
    return this.#failed.some(({ at, count }) => rank >= at.rank && rank < at.rank + count);
  }

  /** What is shown now, from the rank `first` to below `last`, of a list that is `length` long. */
  want(first: number, last: number, length: number): void {
    this.#wanted = { first: Math.max(0, first - AHEAD_ROWS), last: Math.min(last + AHEAD_ROWS, length) };
    for (const one of this.#underWay.filter((one) => !this.#touches(one))) {
      one.controller.abort();
      this.#end(one);
    }
    this.#next();
  }

  retry(): void {
    for (const { at } of this.#failed) this.#ranks.unmark(at);
    this.#failed = [];
    this.failure = null;
  }

  /** Ends what is under way. */
  stop(): void {
    for (const one of this.#underWay) {
      one.controller.abort();
      this.#ranks.unmark(one.at);
    }
    this.#underWay = [];
    this.retry();
  }

  #touches({ at, count }: { at: Marker; count: number }): boolean {
    return at.rank < this.#wanted.last && at.rank + count > this.#wanted.first;
  }

  #next(): void {
    for (const gap of this.#ranks.gaps(this.#wanted.first, this.#wanted.last)) {
      if (this.#underWay.length >= UNDER_WAY_MAX) return;
      const page = this.#pageAt(gap);
      const busy = [...this.#underWay, ...this.#failed].some(
        ({ at, count }) => at.rank < page.at + page.place.limit && at.rank + count > page.at,
      );
      if (!busy) void this.#fetch(page.at, page.place);
    }
  }

  /** The page that fills a gap from its near end on, counted from the row above it, which stays where it is. */
  #pageAt(gap: { from: number; to: number }): { at: number; place: Place } {
    const { from, to, above } = this.#ranks.around(gap.from);
    const room = this.#parts.rows;
    // Scrolled upwards, the rows right above what is held are needed first.
    const upwards = to === gap.to && from < gap.from;
    const near = gap.from - from <= room / 2 ? from : gap.from;
    const at = upwards ? Math.max(from, to - room) : near;
    const limit = Math.min(room, to - at);
    const skip = at - from;
    return { at, place: { ...(above && { before: above.seq }), ...(skip > 0 && { skip }), limit } };
  }

  async #fetch(rank: number, place: Place): Promise<void> {
    const one = { at: this.#ranks.mark(rank), count: place.limit, controller: new AbortController() };
    this.#underWay.push(one);
    try {
      const page = await this.#parts.fetch(place, one.controller.signal);
      if (one.controller.signal.aborted) return;
      this.#end(one);
      this.#parts.take(one.at.rank, page);
    } catch (thrown) {
      if (one.controller.signal.aborted) return;
      this.#end(one);
      this.failure = asFailure(thrown);
      this.#failed = [...this.#failed, { at: this.#ranks.mark(one.at.rank), count: one.count }];
      this.#next();
    }
  }

  #end(one: UnderWay): void {
    this.#ranks.unmark(one.at);
    this.#underWay = this.#underWay.filter((other) => other !== one);
  }
}
