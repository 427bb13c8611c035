import type { DeliverySummary } from '../host/types';

/** The rows that were picked for doing something with all of them. They stay picked when they scroll out of memory. */
export class Selection {
  #rows = $state.raw<ReadonlyMap<string, DeliverySummary>>(new Map());
  /** Where a range begins. */
  anchor: string | null = null;

  get size(): number {
    return this.#rows.size;
  }

  get rows(): DeliverySummary[] {
    return [...this.#rows.values()];
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  toggle(row: DeliverySummary): void {
    const rows = new Map(this.#rows);
    if (!rows.delete(row.id)) rows.set(row.id, row);
    this.#rows = rows;
    this.anchor = row.id;
  }

  add(rows: readonly DeliverySummary[]): void {
    this.#rows = new Map([...this.#rows, ...rows.map((row) => [row.id, row] as const)]);
  }

  drop(id: string): void {
    if (!this.has(id)) return;
    const rows = new Map(this.#rows);
    rows.delete(id);
    this.#rows = rows;
  }

  clear(): void {
    if (this.size > 0) this.#rows = new Map();
  }
}
