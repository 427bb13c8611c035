import type { DeliverySummary } from '../host/types';

/** What the list shows; an empty string means no restriction. */
export type Filter = { endpoint_id: string; status: string; signature_status: string; q: string };

export const NO_FILTER: Filter = { endpoint_id: '', status: '', signature_status: '', q: '' };

export function isFiltered(filter: Filter): boolean {
  return Object.values(filter).some((value) => value !== '');
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The engine's own rule for list parameters, for live rows: `q` ignores ASCII case, and hyphens in an id. */
export function matches(filter: Filter, row: DeliverySummary): boolean {
  if (filter.endpoint_id && row.endpoint_id !== filter.endpoint_id) return false;
  if (filter.status && row.status !== filter.status) return false;
  if (filter.signature_status && row.signature_status !== filter.signature_status) return false;
  if (!filter.q) return true;
  const needle = lowerAscii(filter.q);
  if ([row.event, row.path, row.dedupe_key ?? ''].some((text) => lowerAscii(text).includes(needle))) return true;
  const digits = needle.replaceAll('-', '');
  return digits !== '' && row.id.replaceAll('-', '').includes(digits);
}
