import { asFailure, type Failure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { EndpointCounts, EndpointView, ProviderView, SentTestEvent, TestKey } from '../host/types';
import { deletedId, readCollection } from './read';

/** Counts are asked for after a delivery, but not more often than this while they are watched. In milliseconds. */
const COUNTS_EVERY_MS = 1_000;

/** Changes to an endpoint that are not saved, by field. */
export type Pending = Readonly<Record<string, unknown>>;

/** All endpoints, in the order they were made, and the providers they may have. */
export class EndpointStore {
  list = $state.raw<EndpointView[]>([]);
  providers = $state.raw<ProviderView[]>([]);
  phase = $state<'loading' | 'ready' | 'failed'>('loading');
  failure = $state.raw<Failure | null>(null);
  /** Deliveries by state, by endpoint; empty until they are watched. */
  counts = $state.raw<ReadonlyMap<string, EndpointCounts>>(new Map());
  /** What was typed and not saved, by endpoint: it is still there when the user comes back from another screen. */
  pending = $state.raw<ReadonlyMap<string, Pending>>(new Map());
  #countWatchers = 0;
  #countTimer: ReturnType<typeof setTimeout> | undefined;
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

  /** The catalogue's entry; undefined: the engine has none of that name. */
  provider(slug: string): ProviderView | undefined {
    return this.providers.find((provider) => provider.slug === slug);
  }

  providerName(slug: string): string {
    return this.provider(slug)?.name ?? slug;
  }

  /** Notes that a delivery came or changed, between two `endpoint` events. */
  noteDelivery(endpointId: string, receivedAt: string): void {
    this.#countSoon();
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

  /** The public half of the endpoint's test key, which is made when it has none. */
  async makeTestKey(id: string): Promise<TestKey> {
    const key = await this.#host.call<TestKey>('endpoints.make_test_key', { params: { id } });
    await this.#refresh(id);
    return key;
  }

  /** Has the engine post a sample to the endpoint's URL; the provider's first sample unless an event is named. */
  sendTestEvent(id: string, event: string | null): Promise<SentTestEvent> {
    return this.#host.call('endpoints.send_test_event', { params: { id }, body: event === null ? {} : { event } });
  }

  /** Keeps the counts current until the returned function is called. */
  watchCounts(): () => void {
    this.#countWatchers += 1;
    void this.#count();
    return () => {
      this.#countWatchers -= 1;
      if (this.#countWatchers > 0) return;
      clearTimeout(this.#countTimer);
      this.#countTimer = undefined;
    };
  }

  /** Keeps what is typed; none: it was saved or discarded. */
  keepPending(id: string, pending: Pending | null): void {
    const before = this.pending.get(id);
    if (before === undefined && pending === null) return;
    const next = new Map(this.pending);
    if (pending === null) next.delete(id);
    else next.set(id, pending);
    this.pending = next;
    if (next.size > 0) window.addEventListener('beforeunload', askBeforeLeaving);
    else window.removeEventListener('beforeunload', askBeforeLeaving);
  }

  #countSoon(): void {
    if (this.#countWatchers === 0 || this.#countTimer !== undefined) return;
    this.#countTimer = setTimeout(() => {
      this.#countTimer = undefined;
      void this.#count();
    }, COUNTS_EVERY_MS);
  }

  async #count(): Promise<void> {
    try {
      const answer = await this.#host.call('stats.endpoints');
      const list = readCollection<EndpointCounts>(answer, 'endpoints');
      this.counts = new Map(list.map((counts) => [counts.endpoint_id, counts]));
    } catch {
      // Old figures would look current: show none.
      this.counts = new Map();
    }
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
    this.keepPending(id, null);
    this.list = this.list.filter((endpoint) => endpoint.id !== id);
  }
}

/** Has the browser ask before the page is closed or reloaded. */
function askBeforeLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault();
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
