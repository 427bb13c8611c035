import type { Host } from '../host/contract';
import type { DeliveryDetail, DeliverySummary } from '../host/types';
import { readDetail } from './read';

/** Deliveries of one lineage that are fetched at most. */
const NODES_MAX = 24;
/** Live changes are fetched together. In milliseconds. */
const REFRESH_MS = 60;

/** Parts of a full row that a lineage does not need. */
const HEAVY = ['headers', 'arrivals', 'raw_body', 'raw_body_base64', 'response_body', 'envelope'] as const;

type Node = { row: DeliverySummary; replayIds: readonly string[] };

/** An original and the replays of it that are known, as they stand now. */
export class Lineage {
  /** In the order they were stored: the original, if it is still there, comes first. */
  rows = $state.raw<DeliverySummary[]>([]);
  /** Whether there are more than are fetched. */
  cut = $state(false);
  readonly #host: Host;
  #known = new Map<string, Node>();
  /** Deleted, or not to be had. */
  #absent = new Set<string>();
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working = false;

  constructor(host: Host) {
    this.#host = host;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#known = new Map();
    this.#absent = new Set();
    this.#changed = new Set();
    this.rows = [];
    this.cut = false;
  }

  /** The lineage of this delivery. What is known of the same lineage stays. */
  show(row: DeliveryDetail): void {
    if (!this.#known.has(row.id)) this.clear();
    this.#put(row);
    void this.#complete();
  }

  /** Something about a delivery changed, or it was made. */
  note(id: string, replayedFrom: string | null): void {
    if (!this.#known.has(id) && !(replayedFrom !== null && this.#known.has(replayedFrom))) return;
    this.#changed.add(id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#complete();
    }, REFRESH_MS);
  }

  #put(row: DeliveryDetail): void {
    const slim: Partial<DeliveryDetail> & DeliverySummary = { ...row };
    // Bodies of a whole lineage would be held for nothing.
    for (const heavy of HEAVY) delete slim[heavy];
    this.#known.set(row.id, { row: slim, replayIds: row.replay_ids });
    this.rows = [...this.#known.values()].map((node) => node.row).sort((a, b) => a.seq - b.seq);
  }

  /** An id that is part of the lineage and not known, or known to have changed. */
  #next(): string | null {
    const [changed] = this.#changed;
    if (changed !== undefined) return changed;
    for (const { row, replayIds } of this.#known.values()) {
      const related =
        row.replayed_from_delivery_id === null ? replayIds : [row.replayed_from_delivery_id, ...replayIds];
      const unknown = related.find((id) => !this.#known.has(id) && !this.#absent.has(id));
      if (unknown !== undefined) return unknown;
    }
    return null;
  }

  async #complete(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let id = this.#next(); id !== null; id = this.#next()) {
        const heardOf = this.#changed.delete(id);
        this.cut = !this.#known.has(id) && this.#known.size >= NODES_MAX;
        if (this.cut && heardOf) continue;
        if (this.cut) return;
        await this.#fetch(id);
      }
    } finally {
      this.#working = false;
    }
  }

  async #fetch(id: string): Promise<void> {
    const known = this.#known;
    try {
      const row = readDetail(await this.#host.call('deliveries.get', { params: { id } }));
      // The reader went on to another lineage meanwhile.
      if (known === this.#known) this.#put(row);
    } catch {
      this.#absent.add(id);
      known.delete(id);
    }
  }
}
