import type { DeliverySummary, EndpointView, Stats } from '../host/types';
import type { Filter, FilterPart } from '../store/filter';
import { SIGNATURE_WORDS, signatureLook, STATUS_WORDS, statusLook, type Look } from './states';

/** One way to narrow the list. */
export type Suggestion = {
  part: FilterPart;
  value: string;
  /** What kind of thing it is: `Status`. */
  kind: string;
  label: string;
  look?: Look;
  /** How many there are of it, where that is known. */
  count?: number;
};

export type Sources = {
  byStatus: Partial<Stats['deliveries_by_status']> | undefined;
  endpoints: readonly EndpointView[];
  rows: readonly DeliverySummary[];
  filter: Filter;
};

export const KINDS: Record<FilterPart, string> = {
  status: 'Status',
  signature_status: 'Signature',
  event: 'Event',
  provider: 'Provider',
  endpoint_id: 'Endpoint',
  q: 'Contains',
};

/** Suggestions of one kind at most. */
const EACH_MAX = 6;

function byFrequency(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([value]) => value);
}

function statuses(byStatus: Sources['byStatus']): Suggestion[] {
  return STATUS_WORDS.map((value) => {
    const look = statusLook(value);
    const count = byStatus?.[value as keyof Stats['deliveries_by_status']];
    return {
      part: 'status',
      value,
      kind: KINDS.status,
      label: look.label,
      look,
      ...(count !== undefined && { count }),
    };
  });
}

function all({ byStatus, endpoints, rows }: Sources): Suggestion[] {
  const plain = (part: FilterPart) => (value: string) => ({ part, value, kind: KINDS[part], label: value });
  const providers = [...new Set([...endpoints, ...rows].map((one) => one.provider))];
  return [
    ...statuses(byStatus),
    ...SIGNATURE_WORDS.map((value): Suggestion => {
      const look = signatureLook(value);
      return { part: 'signature_status', value, kind: KINDS.signature_status, label: look.label, look };
    }),
    ...byFrequency(rows.map((row) => row.event)).map(plain('event')),
    ...(providers.length > 1 ? providers.map(plain('provider')) : []),
    ...(endpoints.length > 1 ? endpoints : []).map(({ id, name }): Suggestion => ({
      part: 'endpoint_id',
      value: id,
      kind: KINDS.endpoint_id,
      label: name,
    })),
  ];
}

/** What fits the words typed so far: each must stand in the kind or in the label. Nothing that is set already. */
export function suggest(typed: string, sources: Sources): Suggestion[] {
  const words = typed
    .toLowerCase()
    .split(/[\s:]+/)
    .filter((word) => word !== '');
  const taken = new Map<FilterPart, number>();
  return all(sources).filter(({ part, value, kind, label }) => {
    if (sources.filter[part] === value) return false;
    const text = `${kind} ${label}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return false;
    const before = taken.get(part) ?? 0;
    taken.set(part, before + 1);
    return before < EACH_MAX;
  });
}

/** A part of a filter in words. */
export function describe(part: FilterPart, value: string, endpoints: readonly EndpointView[]): string {
  if (part === 'status') return statusLook(value).label;
  if (part === 'signature_status') return signatureLook(value).label;
  if (part === 'endpoint_id') return endpoints.find(({ id }) => id === value)?.name ?? 'a deleted endpoint';
  return value;
}
