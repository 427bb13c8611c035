import type { DeliverySummary } from '../host/types';

/** What the list shows; an empty string means no restriction. */
export type Filter = {
  endpoint_id: string;
  status: string;
  signature_status: string;
  provider: string;
  event: string;
  q: string;
};

export type FilterPart = keyof Filter;

export const NO_FILTER: Filter = { endpoint_id: '', status: '', signature_status: '', provider: '', event: '', q: '' };

export const FILTER_PARTS = Object.keys(NO_FILTER) as FilterPart[];

/** Longest text of a filter, in characters: what a request's head takes with ease. */
export const FILTER_TEXT_MAX = 200;

export function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== '');
}

export function sameFilter(a: Filter, b: Filter): boolean {
  return FILTER_PARTS.every((part) => a[part] === b[part]);
}

/** The filter as the query of an address: `status=failed&q=push`. */
export function filterToQuery(filter: Filter): string {
  const set = FILTER_PARTS.filter((part) => filter[part] !== '');
  return new URLSearchParams(set.map((part) => [part, filter[part]])).toString();
}

/** The filter of an address. What is not known is left out. */
export function filterFromQuery(query: string): Filter {
  const read = new URLSearchParams(query);
  const filter = { ...NO_FILTER };
  for (const part of FILTER_PARTS) filter[part] = (read.get(part) ?? '').slice(0, FILTER_TEXT_MAX);
  return filter;
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const EXACT = ['endpoint_id', 'status', 'signature_status', 'provider', 'event'] as const;

/** The engine's own rule for list parameters, for live rows: `q` ignores ASCII case, and hyphens in an id. */
export function matches(filter: Filter, row: DeliverySummary): boolean {
  if (EXACT.some((part) => filter[part] !== '' && row[part] !== filter[part])) return false;
  if (!filter.q) return true;
  const needle = lowerAscii(filter.q);
  if ([row.event, row.path, row.dedupe_key ?? ''].some((text) => lowerAscii(text).includes(needle))) return true;
  const digits = needle.replaceAll('-', '');
  return digits !== '' && row.id.replaceAll('-', '').includes(digits);
}
