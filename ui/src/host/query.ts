import type { OperationInput } from './contract';

/** The query parameters that say something: an empty one narrows nothing, and is not sent. */
export function givenParameters(query: OperationInput['query']): Record<string, string | number | boolean> {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(given) as Record<string, string | number | boolean>;
}
