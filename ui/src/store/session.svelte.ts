import { getContext, setContext } from 'svelte';
import { classify } from '../errors/classify';
import { asFailure } from '../errors/failure';
import type { Host, LiveEvent } from '../host/contract';
import { Deletions } from './deletions.svelte';
import { DeliveryStore } from './deliveries.svelte';
import { DetailStore } from './detail.svelte';
import { EndpointStore } from './endpoints.svelte';
import { Follow } from './follow.svelte';
import { LiveJoin, type Connection } from './live';
import { RefusalStore } from './refusals.svelte';
import { Selection } from './selection.svelte';
import { StatsStore } from './stats.svelte';
import { TargetStates } from './targets.svelte';
import { ToastStore } from './toasts.svelte';
import { tunnelAnnouncement } from './tunnelWords';
import { TunnelStore } from './tunnel.svelte';
import { TunnelChoices } from './tunnelChoices.svelte';

/** The UI's state as a whole: every store, and the one stream that keeps them current. */
export class Session {
  readonly host: Host;
  readonly deliveries: DeliveryStore;
  readonly detail: DetailStore;
  readonly endpoints: EndpointStore;
  readonly refusals: RefusalStore;
  readonly stats: StatsStore;
  readonly targets: TargetStates;
  readonly tunnel: TunnelStore;
  readonly tunnelChoices = new TunnelChoices();
  readonly deletions: Deletions;
  readonly selection = new Selection();
  readonly toasts = new ToastStore();
  readonly follow = new Follow();
  connection = $state.raw<Connection>({ state: 'connecting' });
  /** What the screen reader is told about live changes. */
  announcement = $state('');
  readonly #live: LiveJoin;
  readonly #leaving = () => this.deletions.carryOutAll();

  constructor(host: Host) {
    this.host = host;
    this.deliveries = new DeliveryStore(host);
    this.detail = new DetailStore(host);
    this.endpoints = new EndpointStore(host);
    this.refusals = new RefusalStore(host);
    this.stats = new StatsStore(host);
    this.targets = new TargetStates(host);
    this.tunnel = new TunnelStore(host);
    this.deletions = new Deletions({ host, deliveries: this.deliveries, toasts: this.toasts });
    this.#live = new LiveJoin({
      host,
      sync: () => this.#sync(),
      apply: (event) => this.#apply(event),
      onConnection: (connection) => this.#connected(connection),
    });
  }

  start(): void {
    window.addEventListener('pagehide', this.#leaving);
    void this.#live.run();
  }

  stop(): void {
    window.removeEventListener('pagehide', this.#leaving);
    this.#live.stop();
    this.stats.stop();
  }

  retryNow(): void {
    this.#live.retryNow();
  }

  /** Does what the user asked for; a failure is told in a notice. Returns whether it was done. */
  async attempt(action: () => Promise<unknown>, done?: string): Promise<boolean> {
    try {
      await action();
      if (done) this.toasts.good(done);
      return true;
    } catch (thrown) {
      const said = classify(asFailure(thrown));
      this.toasts.bad(said.title, said.detail);
      return false;
    }
  }

  async #sync(): Promise<void> {
    await Promise.all([
      this.endpoints.load(),
      this.deliveries.load(),
      this.refusals.load(),
      this.stats.load(),
      this.tunnel.load(),
    ]);
    this.detail.refresh();
  }

  #apply(event: LiveEvent): void {
    const data = event.data as Record<string, unknown> | null;
    this.stats.changed();
    switch (event.event) {
      case 'delivery':
        this.deliveries.apply(data);
        if (typeof data?.id === 'string') {
          const from = data.replayed_from_delivery_id;
          this.detail.note(data.id, typeof from === 'string' ? from : null);
        }
        if (typeof data?.endpoint_id === 'string' && typeof data.received_at === 'string') {
          this.endpoints.noteDelivery(data.endpoint_id, data.received_at);
        }
        break;
      case 'attempt':
        this.targets.note(data);
        if (typeof data?.delivery_id === 'string') this.detail.note(data.delivery_id);
        break;
      case 'endpoint':
        this.endpoints.apply(data);
        break;
      case 'refusal':
        this.refusals.apply(data);
        break;
      case 'tunnel':
        this.#applyTunnel(data);
        break;
      default:
        // A kind of event that this UI does not know changes nothing that it shows.
        break;
    }
  }

  #applyTunnel(data: unknown): void {
    const before = this.tunnel.state;
    this.tunnel.apply(data);
    const { state } = this.tunnel;
    if (!state || !before) return;
    const changed =
      state.url_changed && !state.url_changed.acknowledged && state.url_changed.at !== before.url_changed?.at;
    if (changed && state.endpoints_affected.length > 0) this.announcement = 'The public URL changed.';
    else if (state.status !== before.status) this.announcement = tunnelAnnouncement(state);
  }

  #connected(connection: Connection): void {
    const before = this.connection.state;
    this.connection = connection;
    if (connection.state === 'live') this.stats.start();
    else this.stats.stop();
    if (connection.state === 'lost' && before !== 'lost') this.announcement = 'Connection to the engine lost.';
    if (connection.state === 'live' && before !== 'live') this.announcement = 'Connected to the engine.';
  }
}

const KEY = Symbol('session');

export function provideSession(session: Session): void {
  setContext(KEY, session);
}

/** The session of the component's tree. */
export function useSession(): Session {
  return getContext<Session>(KEY);
}
