import type { Host } from '../host/contract';
import type { Attempt, DeliverySummary, EndpointView, Target } from '../host/types';
import { readCollection, readDeliveryList } from './read';

/** How a target stood when it was last tried. Null `attempt`: not tried yet, as far as is known. */
export type TargetState = { target: Target; attempt: Attempt | null };

/** The newest deliveries in which a relayed one is looked for. */
const LOOK_ROWS = 20;
/** What live attempts tell is shown this often, so that a storm costs little. In milliseconds. */
const SHOW_MS = 100;

/**
 * How each target answered last, from the live stream and, at first, from the newest delivery that was relayed. A replay
 * to a URL of its own says nothing about a target.
 */
export class TargetStates {
  #shown = $state.raw<ReadonlyMap<string, Attempt>>(new Map());
  readonly #newest = new Map<string, Attempt>();
  readonly #host: Pick<Host, 'call'>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host;
  }

  /** The enabled targets of an endpoint. An attempt at a URL that the target no longer has is forgotten. */
  of(endpoint: EndpointView): TargetState[] {
    return endpoint.targets
      .filter((target) => target.enabled)
      .map((target) => {
        const attempt = this.#shown.get(target.id) ?? null;
        return { target, attempt: attempt?.target_url === target.url ? attempt : null };
      });
  }

  /** Takes the data of an `attempt` event. One that has not ended says nothing yet, unless it is held back. */
  note(data: unknown): void {
    const attempt = data as Partial<Attempt> | null;
    if (typeof attempt?.id !== 'string' || typeof attempt.target_id !== 'string') return;
    if (attempt.outcome === 'pending') return;
    const known = this.#newest.get(attempt.target_id);
    if (known && at(known) > at(attempt as Attempt)) return;
    this.#newest.set(attempt.target_id, attempt as Attempt);
    this.#timer ??= setTimeout(() => this.show(), SHOW_MS);
  }

  /** Shows what has been noted. */
  show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = new Map(this.#newest);
  }

  /** Asks how the endpoint's newest relayed delivery fared. */
  async look(endpointId: string, signal?: AbortSignal): Promise<void> {
    const query = { endpoint_id: endpointId, limit: LOOK_ROWS };
    const page = readDeliveryList(await this.#host.call('deliveries.list', { query }, signal));
    const row = page.deliveries.find((one: DeliverySummary) => one.relay_outcome !== null);
    if (!row) return;
    const answer = await this.#host.call('deliveries.attempts', { params: { id: row.id } }, signal);
    for (const attempt of readCollection<Attempt>(answer, 'attempts')) this.note(attempt);
    this.show();
  }
}

/** When an attempt said what it says. Times of one form: they compare as text. */
function at(attempt: Attempt): string {
  return attempt.finished_at ?? attempt.started_at ?? attempt.created_at;
}
