import { Failure } from '../errors/failure';
import type { DeliveryDetail, DeliveryList, DeliverySummary, TunnelLogLine, TunnelState } from '../host/types';

// Reading is lenient on purpose: a newer engine may send words and fields that this UI does not know. A row whose word
// is unknown keeps its place with a generic look. Only what cannot be placed at all (no id, no seq) is not a row.

type Fields = Record<string, unknown>;

function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

const defaults: Omit<DeliverySummary, 'id' | 'seq'> = {
  endpoint_id: '',
  provider: 'generic',
  event: '',
  event_source: '',
  dedupe_key: null,
  dedupe_source: null,
  signature_status: 'unknown' as DeliverySummary['signature_status'],
  signature_reason: 'unknown' as DeliverySummary['signature_reason'],
  status: 'unknown' as DeliverySummary['status'],
  reason: null,
  attempt_count: 1,
  relay_attempt_count: 0,
  method: '',
  path: '',
  query: null,
  content_type: null,
  body_size: 0,
  response_status: null,
  relay_status: null,
  relay_outcome: null,
  relay_duration_ms: null,
  replayed_from_delivery_id: null,
  duplicate_of: null,
  pinned: false,
  error: null,
  received_at: '',
  last_attempt_at: '',
  created_at: '',
};

/** Takes over what has the kind that the default has; anything goes where the default is null. */
function overlay<T extends object>(base: T, read: Fields): T {
  const result: Fields = { ...read };
  for (const [name, fallback] of Object.entries(base)) {
    const value = read[name];
    const usable = value !== undefined && (fallback === null || typeof value === typeof fallback);
    result[name] = usable ? value : fallback;
  }
  return result as T;
}

/** A slim row, or null when the value cannot be one. */
export function readDelivery(value: unknown): DeliverySummary | null {
  const read = fields(value);
  if (!read || typeof read.id !== 'string' || typeof read.seq !== 'number') return null;
  return { ...overlay(defaults, read), id: read.id, seq: read.seq };
}

/** A page of the list. An answer that is no list is a failure: it must not look like an empty one. */
export function readDeliveryList(value: unknown): DeliveryList {
  const read = fields(value);
  if (!read || !Array.isArray(read.deliveries)) {
    throw new Failure('bad_answer', 'The list of deliveries has a form that this window does not know.');
  }
  const deliveries = read.deliveries.map(readDelivery).filter((row) => row !== null);
  return {
    deliveries,
    next_before: typeof read.next_before === 'number' ? read.next_before : null,
    total: typeof read.total === 'number' ? read.total : deliveries.length,
    total_is_minimum: read.total_is_minimum === true,
    rank: typeof read.rank === 'number' ? read.rank : null,
  };
}

/** The full row. Lists that are absent are empty, so that every tab has something true to show. */
export function readDetail(value: unknown): DeliveryDetail {
  const row = readDelivery(value);
  const read = fields(value);
  if (!row || !read) throw new Failure('bad_answer', 'The delivery has a form that this window does not know.');
  const list = (name: string) => (Array.isArray(read[name]) ? read[name] : []);
  return {
    ...(read as unknown as DeliveryDetail),
    ...row,
    headers: list('headers'),
    arrivals: list('arrivals'),
    replay_ids: list('replay_ids'),
    response_headers: Array.isArray(read.response_headers) ? (read.response_headers as [string, string][]) : null,
    body_inlined: read.body_inlined === true,
  };
}

const tunnelDefaults: Omit<TunnelState, 'status'> = {
  provider: null,
  provider_name: null,
  public_url: null,
  reason: null,
  hint: null,
  notes: [],
  last_probe: null,
  restarts: 0,
  restart_at: null,
  url_changed: null,
  endpoints_affected: [],
  log_lines: 0,
  started_at: null,
  exposes: '',
};

/** How the tunnel stands, or null when the value does not say. */
export function readTunnelState(value: unknown): TunnelState | null {
  const read = fields(value);
  if (!read || typeof read.status !== 'string') return null;
  const state = { ...overlay(tunnelDefaults, read), status: read.status as TunnelState['status'] };
  for (const name of ['notes', 'endpoints_affected'] as const) if (!Array.isArray(state[name])) state[name] = [];
  return state;
}

/** The tunnel with the end of its log. */
export function readTunnelDetail(value: unknown): { state: TunnelState; log: TunnelLogLine[] } {
  const state = readTunnelState(value);
  const log = fields(value)?.log;
  if (!state) throw new Failure('bad_answer', 'The tunnel’s state has a form that this window does not know.');
  return { state, log: Array.isArray(log) ? (log as TunnelLogLine[]) : [] };
}

/** The array under `plural` of a collection; a failure when there is none. */
export function readCollection<T>(value: unknown, plural: string): T[] {
  const list = fields(value)?.[plural];
  if (!Array.isArray(list))
    throw new Failure('bad_answer', `The list of ${plural} has a form that this window does not know.`);
  return list as T[];
}

/** The id of a thing that an event says was deleted, else null. */
export function deletedId(value: unknown): string | null {
  const read = fields(value);
  if (!read || typeof read.id !== 'string') return null;
  return read.deleted === true || typeof read.deleted_at === 'string' ? read.id : null;
}
