import { asFailure, type Failure } from '../errors/failure';
import type { TunnelProviderView } from '../host/types';
import type { Session } from '../store/session.svelte';
import type { TunnelValues } from '../store/tunnelChoices.svelte';
import { startOf, withoutSecrets } from './form';

/** Starting a tunnel: the first time it is explained and asked for, and what the engine does not take is kept to be shown. */
export class Starting {
  /** What is asked about; null: no question is open. */
  asking = $state.raw<{ provider: TunnelProviderView; values: TunnelValues } | null>(null);
  busy = $state(false);
  failure = $state.raw<Failure | null>(null);
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async request(provider: TunnelProviderView, values: TunnelValues): Promise<void> {
    if (this.busy) return;
    this.failure = null;
    if (this.#session.tunnelChoices.explained) await this.#start(provider, values);
    else this.asking = { provider, values };
  }

  async confirm(): Promise<void> {
    const asked = this.asking;
    if (!asked || this.busy) return;
    await this.#start(asked.provider, asked.values);
    this.asking = null;
  }

  async #start(provider: TunnelProviderView, values: TunnelValues): Promise<void> {
    this.busy = true;
    try {
      await this.#session.tunnel.start(startOf(provider, values));
      this.#session.tunnelChoices.keep(provider.slug, withoutSecrets(provider, values));
    } catch (thrown) {
      this.failure = asFailure(thrown);
    } finally {
      this.busy = false;
    }
  }
}
