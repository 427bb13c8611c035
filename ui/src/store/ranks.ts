/** What a list sorted by the engine's order, newest first, needs to know of a row. */
export type Ordered = { id: string; seq: number };

/** Rows that follow each other in the list, from the rank `start` on. */
type Stretch<T> = { start: number; rows: T[]; used: number };

/** A rank that moves with its row as rows come and go above it. */
export type Marker = { rank: number };

/** Where a row went: its rank, or that it lies where no rows are held. */
export type Placed = number | 'gap' | 'below';

const endOf = <T>(stretch: Stretch<T>) => stretch.start + stretch.rows.length;

/**
 * The rows that are held of a list that may be far longer: stretches of consecutive rows, each of which knows its rank,
 * the number of rows above it. A row that comes or goes moves the ranks of all below it. What was not looked at for the
 * longest time is given up first.
 */
export class Ranks<T extends Ordered> {
  #stretches: Stretch<T>[] = [];
  #seqs = new Map<string, number>();
  readonly #markers = new Set<Marker>();
  #clock = 0;

  /** Rows held. */
  get size(): number {
    return this.#seqs.size;
  }

  /** Rank behind the last row held. */
  get end(): number {
    const last = this.#stretches.at(-1);
    return last ? endOf(last) : 0;
  }

  has(id: string): boolean {
    return this.#seqs.has(id);
  }

  get(id: string): T | undefined {
    const rank = this.rankOf(id);
    return rank === null ? undefined : this.at(rank);
  }

  at(rank: number): T | undefined {
    const stretch = this.#stretches[this.#stretchBehind(rank) - 1];
    return stretch?.rows[rank - stretch.start];
  }

  rankOf(id: string): number | null {
    const seq = this.#seqs.get(id);
    if (seq === undefined) return null;
    const stretch = this.#stretches[this.#reaching(seq)] as Stretch<T>;
    return stretch.start + placeOf(stretch.rows, seq);
  }

  /** All rows held, newest first. */
  all(): T[] {
    return this.#stretches.flatMap((stretch) => stretch.rows);
  }

  /** Ranks from `from` to below `to` of which no row is held. */
  gaps(from: number, to: number): { from: number; to: number }[] {
    const gaps = [];
    let next = from;
    for (const stretch of this.#stretches) {
      if (stretch.start >= to) break;
      if (stretch.start > next) gaps.push({ from: next, to: stretch.start });
      next = Math.max(next, endOf(stretch));
    }
    if (next < to) gaps.push({ from: next, to });
    return gaps;
  }

  /** The widest stretch of missing ranks around `rank`, and the row held right above it, if any. */
  around(rank: number): { from: number; to: number; above: T | undefined } {
    const behind = this.#stretchBehind(rank);
    const above = this.#stretches[behind - 1];
    const from = above ? endOf(above) : 0;
    return { from, to: this.#stretches[behind]?.start ?? Infinity, above: above?.rows.at(-1) };
  }

  /** Notes that these ranks are looked at. */
  touch(from: number, to: number): void {
    this.#clock += 1;
    for (const stretch of this.#stretches) {
      if (stretch.start < to && endOf(stretch) > from) stretch.used = this.#clock;
    }
  }

  mark(rank: number): Marker {
    const marker = { rank };
    this.#markers.add(marker);
    return marker;
  }

  unmark(marker: Marker): void {
    this.#markers.delete(marker);
  }

  /** Takes the place of the row with the same id. False when that is not held. */
  replace(row: T): boolean {
    const rank = this.rankOf(row.id);
    if (rank === null) return false;
    const stretch = this.#stretches[this.#stretchBehind(rank) - 1] as Stretch<T>;
    stretch.rows[rank - stretch.start] = row;
    return true;
  }

  /** Puts rows that are newer than all there are on top; newest first. `room`: rows of a stretch. */
  prepend(rows: readonly T[], room: number): void {
    if (rows.length === 0) return;
    this.#shift(0, rows.length);
    for (const row of rows) this.#seqs.set(row.id, row.seq);
    const first = this.#stretches[0];
    if (first && first.start === rows.length && first.rows.length + rows.length <= room) {
      first.rows = [...rows, ...first.rows];
      first.start = 0;
      return;
    }
    const added: Stretch<T>[] = [];
    for (let at = 0; at < rows.length; at += room) {
      // Nobody has looked at them yet.
      added.push({ start: at, rows: rows.slice(at, at + room), used: this.#clock - 1 });
    }
    this.#stretches.unshift(...added);
  }

  /**
   * Puts a row where its number belongs. Between rows that are not held it has no place: there the ranks below move only
   * when it is `certain` that it is new to the list.
   */
  insert(row: T, certain: boolean): Placed {
    const at = this.#reaching(row.seq);
    const stretch = this.#stretches[at];
    if (!stretch) return 'below';
    const index = placeOf(stretch.rows, row.seq);
    const before = this.#stretches[at - 1];
    const rank = stretch.start + index;
    if (index === 0 && rank !== (before ? endOf(before) : 0)) {
      if (certain) this.#shift(rank, 1);
      return 'gap';
    }
    this.#shift(rank + (index === 0 ? 0 : 1), 1, index === 0 ? stretch : undefined);
    stretch.rows.splice(index, 0, row);
    this.#seqs.set(row.id, row.seq);
    return rank;
  }

  /** Takes a row out. Returns the rank it had. */
  remove(id: string): number | null {
    const rank = this.rankOf(id);
    if (rank === null) return null;
    const at = this.#stretchBehind(rank) - 1;
    const stretch = this.#stretches[at] as Stretch<T>;
    stretch.rows.splice(rank - stretch.start, 1);
    this.#seqs.delete(id);
    if (stretch.rows.length === 0) this.#stretches.splice(at, 1);
    this.#shift(rank + 1, -1);
    return rank;
  }

  /**
   * Puts a fetched page at a rank. A row that is held already stays as it is, and tells how the page lies to its
   * neighbours: ranks that were off are set right.
   */
  put(start: number, page: readonly T[]): void {
    const lastKnown = page.findLastIndex((row) => this.#seqs.has(row.id));
    const leading = page.findIndex((row) => !this.#seqs.has(row.id));
    if (leading < 0) return;
    const rows = page.filter((row) => !this.#seqs.has(row.id));
    const first = rows[0] as T;
    const at = this.#stretches.findIndex((stretch) => (stretch.rows[0] as T).seq < first.seq);
    const above = this.#stretches[(at < 0 ? this.#stretches.length : at) - 1];
    const from = above ? (leading > 0 ? endOf(above) : Math.max(start, endOf(above))) : start;
    const below = at < 0 ? undefined : this.#stretches[at];
    const last = rows.at(-1) as T;
    if (below && (below.rows[0] as T).seq > last.seq) return this.#scatter(rows);
    const end = from + rows.length;
    if (below && (lastKnown > leading || end > below.start)) this.#shift(below.start, end - below.start);
    for (const row of rows) this.#seqs.set(row.id, row.seq);
    this.#stretches.splice(at < 0 ? this.#stretches.length : at, 0, { start: from, rows, used: this.#clock });
  }

  /** Gives up what was not looked at for the longest time, until at most `most` rows are held. */
  evict(most: number): void {
    if (this.size <= most) return;
    for (const stretch of [...this.#stretches].sort((a, b) => a.used - b.used)) {
      if (this.size <= most || stretch.used === this.#clock) return;
      this.#stretches = this.#stretches.filter((other) => other !== stretch);
      for (const row of stretch.rows) this.#seqs.delete(row.id);
    }
  }

  clear(): void {
    this.#stretches = [];
    this.#seqs.clear();
  }

  /** A page that spans rows held already: each row finds its own place. */
  #scatter(rows: readonly T[]): void {
    for (const row of rows) this.insert(row, false);
  }

  /** Index of the first stretch that starts behind `rank`. */
  #stretchBehind(rank: number): number {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#stretches[middle] as Stretch<T>).start <= rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first stretch whose oldest row is not newer than `seq`. */
  #reaching(seq: number): number {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.#stretches[middle] as Stretch<T>).rows.at(-1) as T).seq > seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #shift(from: number, by: number, except?: Stretch<T>): void {
    for (const stretch of this.#stretches) if (stretch.start >= from && stretch !== except) stretch.start += by;
    for (const marker of this.#markers) if (marker.rank >= from) marker.rank += by;
  }
}

/** Index of the first row that is not newer than `seq`. */
function placeOf(rows: readonly Ordered[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as Ordered).seq > seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
