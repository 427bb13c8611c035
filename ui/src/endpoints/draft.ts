import type { EndpointView, EventFilter, Reply, Target } from '../host/types';

/** The fields of an endpoint that the editor changes. The name in the API is the name here. */
export type Draft = {
  name: string;
  provider: string;
  scheme: string | null;
  provider_options: Record<string, unknown>;
  enabled: boolean;
  targets: Target[];
  allow_non_loopback: boolean;
  public_url_override: string | null;
  body_policy: string;
  signature_policy: string;
  duplicate_policy: string;
  event_filters: EventFilter[];
  reply: Reply;
};

const FIELDS = [
  'name',
  'provider',
  'scheme',
  'provider_options',
  'enabled',
  'targets',
  'allow_non_loopback',
  'public_url_override',
  'body_policy',
  'signature_policy',
  'duplicate_policy',
  'event_filters',
  'reply',
] as const satisfies (keyof Draft)[];

/** A copy of what is saved, to be edited. */
export function draftOf(endpoint: EndpointView): Draft {
  const draft: Record<string, unknown> = {};
  for (const field of FIELDS) draft[field] = structuredClone(endpoint[field]);
  return draft as Draft;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** What is saved, with what was typed on top of it. A target that is not saved yet has an empty id. */
export function draftWith(endpoint: EndpointView, pending: Readonly<Record<string, unknown>> | undefined): Draft {
  const draft = { ...draftOf(endpoint), ...structuredClone(pending ?? {}) } as Draft;
  return { ...draft, targets: draft.targets.map((target) => ({ ...target, id: target.id ?? '' })) };
}

/** The index in a field such as `targets[2].url`; null when the field names no element of this list. */
export function indexOfField(field: string | null, list: string): number | null {
  const match = field?.startsWith(list) ? /^\[(\d+)\]/.exec(field.slice(list.length)) : null;
  return match ? Number(match[1]) : null;
}

/** The body of the PATCH: only what differs, so that a change made elsewhere meanwhile is not undone. */
export function changes(draft: Draft, base: Draft): Partial<Draft> {
  const result: Record<string, unknown> = {};
  for (const field of FIELDS) {
    if (canonical(draft[field]) !== canonical(base[field])) result[field] = draft[field];
  }
  if ('targets' in result) result.targets = draft.targets.map(withoutEmptyId);
  return result as Partial<Draft>;
}

/** A target that is not saved yet has no id: the engine makes one. */
function withoutEmptyId(target: Target): Partial<Target> {
  const { id, ...rest } = target;
  return id === '' ? rest : { id, ...rest };
}

/** Filter from what was typed: event and comma-separated actions. Null when the event is blank. */
export function parseFilter(event: string, actions: string): EventFilter | null {
  const name = event.trim();
  if (name === '') return null;
  const list = actions
    .split(',')
    .map((action) => action.trim())
    .filter((action) => action !== '');
  return list.length > 0 ? { event: name, actions: list } : { event: name };
}

/** Headers from lines `Name: value`; a line without a colon is an error. */
export function parseHeaders(text: string): { headers: [string, string][] } | { error: string } {
  const headers: [string, string][] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) return { error: `“${line.trim()}” is no header: write Name: value.` };
    headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return { headers };
}
