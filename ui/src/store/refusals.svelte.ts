import { asFailure, type Failure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { Refusal } from '../host/types';
import { readCollection } from './read';

/** Refusals that the engine keeps. */
const REFUSALS_MAX = 1_000;

/** The newest refusals, newest first. */
export class RefusalStore {
  list = $state.raw<Refusal[]>([]);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<Failure | null>(null);
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async load(): Promise<void> {
    try {
      this.list = sorted(readCollection<Refusal>(await this.#host.call('refusals.list'), 'refusals'));
      this.phase = 'ready';
      this.failure = null;
    } catch (thrown) {
      this.failure = asFailure(thrown);
      if (this.phase !== 'ready') this.phase = 'failed';
      throw this.failure;
    }
  }

  /** Takes the data of a `refusal` event. */
  apply(data: unknown): void {
    const refusal = data as Partial<Refusal> | null;
    if (!refusal || typeof refusal.id !== 'string' || typeof refusal.at !== 'string') return;
    const rest = this.list.filter((other) => other.id !== refusal.id);
    this.list = sorted([refusal as Refusal, ...rest]).slice(0, REFUSALS_MAX);
  }
}

// Ids are UUIDv7: their order is the order of time.
function sorted(list: Refusal[]): Refusal[] {
  return list.sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1));
}
