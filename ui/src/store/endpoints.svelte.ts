import { asFailure, type Failure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { EndpointView, ProviderView } from '../host/types';
import { deletedId, readCollection } from './read';

/** All endpoints, in the order they were made, and the providers they may have. */
export class EndpointStore {
  list = $state.raw<EndpointView[]>([]);
  providers = $state.raw<ProviderView[]>([]);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<Failure | null>(null);
  readonly #byId = $derived(new Map(this.list.map((endpoint) => [endpoint.id, endpoint])));
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  get(id: string): EndpointView | null {
    return this.#byId.get(id) ?? null;
  }

  async load(): Promise<void> {
    try {
      const [endpoints, providers] = await Promise.all([
        this.#host.call('endpoints.list'),
        this.#host.call('providers.list'),
      ]);
      this.list = readCollection<EndpointView>(endpoints, 'endpoints').sort(byCreation);
      this.providers = readCollection<ProviderView>(providers, 'providers');
      this.phase = 'ready';
      this.failure = null;
    } catch (thrown) {
      this.failure = asFailure(thrown);
      if (this.phase !== 'ready') this.phase = 'failed';
      throw this.failure;
    }
  }

  /** Takes the data of an `endpoint` event. */
  apply(data: unknown): void {
    const gone = deletedId(data);
    if (gone) return this.#drop(gone);
    const endpoint = data as Partial<EndpointView> | null;
    if (!endpoint || typeof endpoint.id !== 'string' || typeof endpoint.token !== 'string') return;
    this.#put(endpoint as EndpointView);
  }

  /** Notes that a delivery came, between two `endpoint` events. */
  noteDelivery(endpointId: string, receivedAt: string): void {
    const endpoint = this.get(endpointId);
    if (!endpoint || (endpoint.last_delivery_at ?? '') >= receivedAt) return;
    this.#put({ ...endpoint, last_delivery_at: receivedAt });
  }

  async create(body: Record<string, unknown>): Promise<EndpointView> {
    return this.#put(await this.#host.call<EndpointView>('endpoints.create', { body }));
  }

  async update(id: string, body: Record<string, unknown>): Promise<EndpointView> {
    return this.#put(await this.#host.call<EndpointView>('endpoints.update', { params: { id }, body }));
  }

  async rotateToken(id: string): Promise<EndpointView> {
    return this.#put(await this.#host.call<EndpointView>('endpoints.rotate_token', { params: { id } }));
  }

  async setSecret(id: string, secret: string): Promise<EndpointView> {
    const body = { signing_secret: secret };
    return this.#put(await this.#host.call<EndpointView>('endpoints.set_signing_secret', { params: { id }, body }));
  }

  async addSecret(id: string, secret: string): Promise<EndpointView> {
    const body = { signing_secret: secret };
    await this.#host.call('endpoints.add_signing_secret', { params: { id }, body });
    return this.#refresh(id);
  }

  async removeSecret(id: string, secretId: string): Promise<EndpointView> {
    await this.#host.call('endpoints.remove_signing_secret', { params: { id, secret_id: secretId } });
    return this.#refresh(id);
  }

  async delete(id: string): Promise<void> {
    await this.#host.call('endpoints.delete', { params: { id } });
    this.#drop(id);
  }

  async #refresh(id: string): Promise<EndpointView> {
    return this.#put(await this.#host.call<EndpointView>('endpoints.get', { params: { id } }));
  }

  #put(endpoint: EndpointView): EndpointView {
    const rest = this.list.filter((other) => other.id !== endpoint.id);
    this.list = [...rest, endpoint].sort(byCreation);
    return endpoint;
  }

  #drop(id: string): void {
    this.list = this.list.filter((endpoint) => endpoint.id !== id);
  }
}

function byCreation(a: EndpointView, b: EndpointView): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** The URL to give to the sender: the public one where one is known. */
export function senderUrl(endpoint: EndpointView): string {
  const { public_url, ingress_path, ingress_url } = endpoint;
  if (!public_url) return ingress_url;
  return public_url.includes(ingress_path) ? public_url : public_url.replace(/\/+$/, '') + ingress_path;
}
