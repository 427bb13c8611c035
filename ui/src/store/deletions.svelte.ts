import { classify } from '../errors/classify';
import { asFailure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { DeliverySummary } from '../host/types';
import type { DeliveryStore } from './deliveries.svelte';
import type { ToastStore } from './toasts.svelte';

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_MS = 10_000;
/** Ids that the API takes at a time. */
const IDS_MAX = 500;

export type Deletion = { rows: readonly DeliverySummary[]; until: number };

/**
 * Deletions that can be undone: the rows leave the list at once, and the engine is told when the time is over or the
 * page is left. Should the program be killed before that, nothing has been deleted.
 */
export class Deletions {
  /** Those that can still be undone, oldest first. */
  list = $state.raw<Deletion[]>([]);
  readonly #parts: { host: Host; deliveries: DeliveryStore; toasts: ToastStore };
  readonly #timers = new Map<Deletion, ReturnType<typeof setTimeout>>();

  constructor(parts: { host: Host; deliveries: DeliveryStore; toasts: ToastStore }) {
    this.#parts = parts;
  }

  delete(asked: readonly DeliverySummary[]): void {
    // A row is in one deletion at most: undoing one must not leave it to the timer of another.
    const going = new Set(this.list.flatMap((deletion) => deletion.rows.map((row) => row.id)));
    const rows = asked.filter((row) => !going.has(row.id));
    if (rows.length === 0) return;
    const deletion = { rows, until: Date.now() + UNDO_MS };
    this.#parts.deliveries.hide(rows);
    this.#timers.set(
      deletion,
      setTimeout(() => void this.#carryOut(deletion, false), UNDO_MS),
    );
    this.list = [...this.list, deletion];
  }

  /** Brings back what was deleted last. Returns those rows. */
  undo(): readonly DeliverySummary[] {
    const last = this.list.at(-1);
    if (!last) return [];
    this.#drop(last);
    this.#parts.deliveries.unhide(last.rows);
    return last.rows;
  }

  /** Carries out what is open now: the page is being left. */
  carryOutAll(): void {
    for (const deletion of this.list) void this.#carryOut(deletion, true);
  }

  async #carryOut(deletion: Deletion, leaving: boolean): Promise<void> {
    this.#drop(deletion);
    const { host, deliveries, toasts } = this.#parts;
    for (let at = 0; at < deletion.rows.length; at += IDS_MAX) {
      const rows = deletion.rows.slice(at, at + IDS_MAX);
      const ids = rows.map((row) => row.id);
      try {
        const call = host.call('deliveries.delete_matching', { body: { ids }, leaving });
        // A page that goes away runs nothing after this: all parts leave now.
        if (!leaving) await call;
        else call.catch(() => undefined);
        deliveries.forget(ids);
      } catch (thrown) {
        const said = classify(asFailure(thrown));
        deliveries.unhide(deletion.rows.slice(at));
        toasts.bad(`Not deleted: ${said.title}`, said.detail);
        return;
      }
    }
  }

  #drop(deletion: Deletion): void {
    clearTimeout(this.#timers.get(deletion));
    this.#timers.delete(deletion);
    this.list = this.list.filter((other) => other !== deletion);
  }
}
