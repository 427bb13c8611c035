import { untrack } from 'svelte';
import { classify } from '../errors/classify';
import { asFailure } from '../errors/failure';
import type { DeliverySummary } from '../host/types';
import { nearestFailed, rankIn } from '../store/find';
import type { Session } from '../store/session.svelte';

/** What the list's element can do. */
export type ListElement = {
  reveal: (index: number) => Promise<void>;
  toTop: () => void;
  toEnd: () => void;
  rowsInView: () => number;
  focus: () => void;
};

type Parts = {
  session: Session;
  element: () => ListElement | null;
  selected: () => string | null;
  onselect: (id: string | null) => void;
};

/** Deliveries that are pinned at once. */
const PINS_AT_ONCE = 6;

/**
 * The list as somebody works with it: where the cursor stands, whether the list follows what comes in, and what is done
 * with one row or with many. A row that is opened is the cursor, too.
 */
export class Listing {
  cursor = $state<string | null>(null);
  /** Whether the newest are shown as they come. */
  follow = $state(true);
  atTop = $state(true);
  /** The drift up to which everything new was seen. */
  #seen = $state(0);
  #lastRank = 0;
  /** A rank that the cursor goes to as soon as its row is there. */
  #wanted = $state<number | null>(null);
  #wantedRange = false;
  /** Counts the moves of the cursor by hand: what is still being looked for must not move it afterwards. */
  #moves = 0;
  /** Jumps run one after another, so that each begins where the one before has ended. */
  #jumps: Promise<void> = Promise.resolve();
  /** Where the last jump went; its row may not have been fetched yet. */
  #jumpedTo: DeliverySummary | null = null;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get #store() {
    return this.#parts.session.deliveries;
  }

  get active(): string | null {
    return this.#parts.selected() ?? this.cursor;
  }

  get activeRow(): DeliverySummary | undefined {
    return this.active === null ? undefined : this.#store.get(this.active);
  }

  get activeRank(): number | null {
    return this.active === null ? null : this.#store.rankOf(this.active);
  }

  /** Whether the list moves with what comes in. */
  get following(): boolean {
    return this.follow && !this.#parts.session.follow.paused;
  }

  get holding(): boolean {
    return !this.following || !this.atTop;
  }

  /** How many came above what is looked at. */
  get unseen(): number {
    return this.holding ? Math.max(0, this.#store.drift - this.#seen) : 0;
  }

  /** Effects that keep it true; called during the component's initialisation. */
  effects(): void {
    $effect(() => {
      const { drift } = this.#store;
      this.#store.held = !this.following;
      if (!this.holding) this.#seen = drift;
    });
    $effect(() => {
      void this.#store.filter;
      untrack(() => {
        // What is not shown any more must not be acted upon.
        this.#parts.session.selection.clear();
        this.#handMove();
        this.newest();
      });
    });
    $effect(() => {
      const rank = this.activeRank;
      if (rank !== null) this.#lastRank = rank;
    });
    $effect(() => {
      if (this.#wanted === null) return;
      const row = this.#store.row(this.#wanted);
      if (typeof row === 'string') return;
      this.#wanted = null;
      untrack(() => this.#settle(row));
    });
    $effect(() => {
      const selected = this.#parts.selected();
      untrack(() => {
        if (selected !== null) void this.#show(selected);
      });
    });
  }

  newest(): void {
    this.#parts.element()?.toTop();
    this.#seen = this.#store.drift;
  }

  toggleFollow(): void {
    this.follow = !this.follow || this.#parts.session.follow.paused;
    if (this.follow) this.#parts.session.follow.paused = false;
    if (this.follow) this.newest();
  }

  togglePause(): void {
    this.#parts.session.follow.toggle();
    if (this.following && this.atTop) this.newest();
  }

  /** Moves the cursor by so many rows; with `range` everything on the way is selected. */
  move(by: number, range = false): void {
    const from = this.active === null ? (by > 0 ? -1 : 1) : (this.activeRank ?? this.#lastRank);
    this.moveTo(from + by, range);
  }

  /** Calls off what is still on its way: the user is somewhere else now. */
  #handMove(): void {
    this.#moves += 1;
    this.#wanted = null;
  }

  moveTo(rank: number, range = false): void {
    const target = Math.max(0, Math.min(this.#store.length - 1, rank));
    this.#handMove();
    this.#wantedRange = range;
    this.#wanted = target;
    void this.#parts.element()?.reveal(target);
  }

  page(direction: 1 | -1): void {
    this.move(direction * Math.max(1, (this.#parts.element()?.rowsInView() ?? 10) - 1));
  }

  open(): void {
    if (this.active !== null) this.#parts.onselect(this.active);
  }

  /** One step back: what was picked, then the open delivery. */
  back(): void {
    const { selection } = this.#parts.session;
    if (selection.size > 0) return selection.clear();
    this.cursor = this.active;
    this.#parts.onselect(null);
    this.#parts.element()?.focus();
  }

  /** A click on a row: opens it, or picks it with Ctrl, or a range with Shift. */
  press(id: string, event: MouseEvent): void {
    const row = this.#store.get(id);
    if (!row) return;
    this.#handMove();
    const { selection } = this.#parts.session;
    const rank = this.#store.rankOf(id);
    if (event.shiftKey && rank !== null) {
      this.#selectTo(rank);
      this.cursor = id;
    } else if (event.ctrlKey || event.metaKey) {
      if (selection.size === 0 && this.activeRow && this.active !== id) selection.add([this.activeRow]);
      selection.toggle(row);
      this.cursor = id;
    } else {
      selection.clear();
      selection.anchor = id;
      this.cursor = id;
      this.#parts.onselect(id);
    }
  }

  pick(): void {
    const row = this.activeRow;
    if (row) this.#parts.session.selection.toggle(row);
  }

  pickAll(): void {
    this.#parts.session.selection.add(this.#store.rows);
  }

  /** The selected rows, or else the one under the cursor. */
  get targets(): DeliverySummary[] {
    const { selection } = this.#parts.session;
    if (selection.size > 0) return selection.rows.map((row) => this.#store.get(row.id) ?? row);
    const row = this.activeRow;
    return row ? [row] : [];
  }

  async pin(rows: readonly DeliverySummary[], pinned: boolean): Promise<void> {
    const { session } = this.#parts;
    const open = rows.filter((row) => row.pinned !== pinned);
    const operation = pinned ? 'deliveries.pin' : 'deliveries.unpin';
    await session.attempt(
      async () => {
        for (let at = 0; at < open.length; at += PINS_AT_ONCE) {
          const some = open.slice(at, at + PINS_AT_ONCE);
          await Promise.all(some.map(({ id }) => session.host.call(operation, { params: { id } })));
        }
      },
      `${rows.length === 1 ? (pinned ? 'Pinned' : 'Unpinned') : `${rows.length} ${pinned ? 'pinned' : 'unpinned'}`}${pinned ? ': retention keeps what is pinned.' : '.'}`,
    );
  }

  togglePin(): void {
    const rows = this.targets;
    if (rows.length > 0) void this.pin(rows, !rows.every((row) => row.pinned));
  }

  delete(rows: readonly DeliverySummary[]): void {
    const { session, selected, onselect } = this.#parts;
    if (rows.length === 0) return;
    this.#handMove();
    const gone = new Set(rows.map((row) => row.id));
    const rank = this.activeRank;
    const active = this.active;
    session.selection.clear();
    session.deletions.delete(rows);
    if (active === null || !gone.has(active)) return;
    if (selected() !== null) onselect(null);
    const next = rank === null ? undefined : this.#store.row(Math.min(rank, this.#store.length - 1));
    this.cursor = next === undefined || typeof next === 'string' ? null : next.id;
    this.#parts.element()?.focus();
  }

  undo(): void {
    const rows = this.#parts.session.deletions.undo();
    const first = rows[0];
    if (!first) return;
    this.#handMove();
    this.cursor = first.id;
    void this.#show(first.id);
    this.#parts.session.announcement = `${rows.length} brought back`;
  }

  /** The next failed delivery, older or newer; the engine is asked where it is. */
  jumpToFailed(towards: 'older' | 'newer'): Promise<void> {
    const moves = this.#moves;
    this.#jumps = this.#jumps.then(() => this.#jump(towards, moves));
    return this.#jumps;
  }

  async #jump(towards: 'older' | 'newer', moves: number): Promise<void> {
    const { session } = this.#parts;
    const store = this.#store;
    const at = this.activeRow ?? (this.#jumpedTo?.id === this.active ? this.#jumpedTo : null);
    const from = at?.seq ?? (towards === 'older' ? Number.MAX_SAFE_INTEGER : 0);
    if (moves !== this.#moves) return;
    try {
      const row = await nearestFailed(session.host, store.filter, from, towards);
      if (!row) {
        session.announcement = `No ${towards} failed delivery`;
        return;
      }
      const rank = store.rankOf(row.id) ?? (await rankIn(session.host, store.filter, row));
      if (moves !== this.#moves) return;
      this.#wanted = null;
      this.#jumpedTo = row;
      this.cursor = row.id;
      if (this.#parts.selected() !== null) this.#parts.onselect(row.id);
      if (rank !== null) await this.#parts.element()?.reveal(rank);
    } catch (thrown) {
      const said = classify(asFailure(thrown));
      session.toasts.bad(said.title, said.detail);
    }
  }

  async #show(id: string): Promise<void> {
    const rank = this.#store.rankOf(id);
    if (rank !== null) await this.#parts.element()?.reveal(rank);
  }

  #settle(row: DeliverySummary): void {
    if (this.#wantedRange) {
      const rank = this.#store.rankOf(row.id);
      if (rank !== null) this.#selectTo(rank);
    }
    this.cursor = row.id;
    if (this.#parts.selected() !== null) this.#parts.onselect(row.id);
  }

  /** Selects from where the range began to this rank, as far as the rows are loaded. */
  #selectTo(rank: number): void {
    const { selection } = this.#parts.session;
    selection.anchor ??= this.active;
    const from = (selection.anchor === null ? null : this.#store.rankOf(selection.anchor)) ?? rank;
    const rows = [];
    for (let at = Math.min(from, rank); at <= Math.max(from, rank); at += 1) {
      const row = this.#store.row(at);
      if (typeof row !== 'string') rows.push(row);
    }
    const { anchor } = selection;
    selection.clear();
    selection.add(rows);
    selection.anchor = anchor;
  }
}
