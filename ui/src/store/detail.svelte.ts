import type { Host } from '../host/contract';
import type { Attempt, DeliveryDetail, Explanation } from '../host/types';
import { Lineage } from './lineage.svelte';
import { readCollection, readDetail } from './read';
import { Resource } from './resource.svelte';

/** Live changes of the open delivery are fetched together. In milliseconds. */
const REFRESH_MS = 60;

/** The open delivery, with its attempts and the explanation of its signature. Bodies are fetched by their own views. */
export class DetailStore {
  id = $state<string | null>(null);
  readonly delivery = new Resource<DeliveryDetail>();
  readonly attempts = new Resource<Attempt[]>();
  readonly signature = new Resource<Explanation>();
  readonly lineage: Lineage;
  readonly #host: Host;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.lineage = new Lineage(host);
  }

  open(id: string | null): void {
    if (this.id === id) return;
    this.id = id;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const part of [this.delivery, this.attempts, this.signature]) part.clear();
    if (id === null) this.lineage.clear();
    if (id) this.refresh();
  }

  /** Fetches all parts anew; what is shown stays until the answer is there. */
  refresh(): void {
    const id = this.id;
    if (!id) return;
    const input = { params: { id } };
    void this.delivery.load(async (signal) => {
      const row = readDetail(await this.#host.call('deliveries.get', input, signal));
      this.lineage.show(row);
      return row;
    });
    void this.attempts.load(async (signal) =>
      readCollection<Attempt>(await this.#host.call('deliveries.attempts', input, signal), 'attempts').sort(
        (a, b) => a.n - b.n,
      ),
    );
    void this.signature.load((signal) => this.#host.call<Explanation>('deliveries.signature', input, signal));
  }

  /** Something about a delivery changed, or it was made. */
  note(deliveryId: string, replayedFrom: string | null = null): void {
    this.lineage.note(deliveryId, replayedFrom);
    if (deliveryId !== this.id) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh();
    }, REFRESH_MS);
  }
}
