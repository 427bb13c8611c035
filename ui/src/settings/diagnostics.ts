import type { EndpointView, Settings, Stats, Target } from '../host/types';

/**
 * The diagnostics bundle: what somebody who helps needs to know of this Creel, and nothing that is secret. It is made
 * from a list of what goes in, never by taking things out: a field that an engine adds later stays outside. No name, URL,
 * token, secret, hint, header or body of anything goes in.
 */

/** Where the window runs. */
export type Surroundings = {
  host: string;
  userAgent: string;
  platform: string;
  viewport: string;
  pixelRatio: number;
  appearance: Record<string, string | number>;
};

export type Facts = {
  at: Date;
  version: string | null;
  surroundings: Surroundings;
  connection: string;
  stats: Partial<Stats> | null;
  settings: Settings | null;
  endpoints: EndpointView[];
  refusalsByReason: Record<string, number>;
};

const STATS: (keyof Stats)[] = [
  'version',
  'started_at',
  'endpoints',
  'deliveries',
  'deliveries_by_status',
  'received',
  'received_per_second',
  'refused',
  'dropped',
  'database_bytes',
  'wal_bytes',
  'writer_queue_depth',
];

const SETTINGS: (keyof Settings)[] = [
  'keep_rows',
  'keep_bytes',
  'keep_days',
  'max_body_bytes',
  'rate_limit_endpoint',
  'rate_limit_ip',
];

function picked<T extends object>(from: Partial<T> | null, names: (keyof T)[]): Partial<T> | null {
  if (!from) return null;
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]])) as Partial<T>;
}

/** Of a target: how it is reached, and whether that is this machine. Its name, path and credentials stay out. */
function target({ url, enabled, event_filters }: Target) {
  const read = URL.canParse(url) ? new URL(url) : null;
  const loopback = read ? /^(localhost|127(\.\d+){3}|\[::1\])$/.test(read.hostname) : false;
  return {
    scheme: read?.protocol.replace(':', '') ?? 'unreadable',
    port: read?.port ?? '',
    where: loopback ? 'this machine' : 'elsewhere',
    has_path: read ? read.pathname !== '/' : false,
    has_query: Boolean(read?.search),
    has_credentials: Boolean(read?.username || read?.password),
    enabled,
    event_filters: event_filters.length,
  };
}

function reply(endpoint: EndpointView) {
  const { reply: said } = endpoint;
  if (said.mode === 'passthrough') return { mode: said.mode, timeout_ms: said.timeout_ms };
  if (said.mode === 'fixed')
    return {
      mode: said.mode,
      status: said.status,
      delay_ms: said.delay_ms,
      headers: said.headers.length,
      body_characters: said.body.length,
    };
  return { mode: said.mode };
}

function endpoint(view: EndpointView, at: number) {
  return {
    number: at + 1,
    provider: view.provider,
    scheme: view.scheme,
    enabled: view.enabled,
    body_policy: view.body_policy,
    signature_policy: view.signature_policy,
    duplicate_policy: view.duplicate_policy,
    when_target_down: view.when_target_down,
    allow_non_loopback: view.allow_non_loopback,
    reply: reply(view),
    event_filters: view.event_filters.length,
    signing_secrets: view.signing_secrets.length,
    provider_options: Object.keys(view.provider_options).length,
    has_public_url: view.public_url !== null,
    has_public_url_override: view.public_url_override !== null,
    warnings: view.warnings.map(({ code }) => code),
    targets: view.targets.map(target),
    created_at: view.created_at,
    last_delivery_at: view.last_delivery_at,
  };
}

/** The bundle as text that people can read before they save it. */
export function diagnostics(facts: Facts): string {
  const bundle = {
    creel: facts.version,
    made_at: facts.at.toISOString(),
    window: facts.surroundings,
    connection: facts.connection,
    stats: facts.stats && {
      ...picked(facts.stats, STATS),
      has_public_url: typeof facts.stats.public_url === 'string' && facts.stats.public_url !== '',
    },
    settings: picked<Settings>(facts.settings, SETTINGS),
    refusals: facts.refusalsByReason,
    endpoints: facts.endpoints.map(endpoint),
  };
  return JSON.stringify(bundle, null, 2);
}
