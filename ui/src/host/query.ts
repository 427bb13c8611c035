import type { OperationInput } from './contract';

/** A query without what is not set: an empty text restricts nothing and is no value that the API knows. */
export function setOnly(query: OperationInput['query'] = {}): Record<string, string | number | boolean> {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries) as Record<string, string | number | boolean>;
}
