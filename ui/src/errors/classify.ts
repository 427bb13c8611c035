import type { Failure } from './failure';

/** What the UI offers to do about a failure. */
export type Action = 'retry' | 'reconnect' | 'force' | 'none';

export type Classified = { title: string; detail: string; action: Action };

type Rule = { title: string; detail?: string; action: Action };

/** The one table from a failure's code to what people read and can do. A code stands here only if it adds something. */
const rules: Record<string, Rule> = {
  unreachable: {
    title: 'Creel does not answer',
    detail: 'The engine was stopped, or it is starting. Start it with “creel serve”; this page reconnects by itself.',
    action: 'reconnect',
  },
  unauthorized: {
    title: 'This link is no longer valid',
    detail: 'The token is made anew at each start. “creel serve” prints a fresh link.',
    action: 'none',
  },
  delivery_not_found: {
    title: 'This delivery is not here any more',
    detail: 'It was deleted, or pruned by retention.',
    action: 'none',
  },
  endpoint_not_found: { title: 'This endpoint is not here any more', detail: 'It was deleted.', action: 'none' },
  not_replayable: { title: 'This delivery was rejected', action: 'force' },
  not_available: { title: 'Not available yet', action: 'none' },
  relay_loop: {
    title: 'This target leads back to Creel',
    detail: 'Relaying there would never end. Enter the URL of your own app.',
    action: 'none',
  },
  bad_answer: { title: 'The answer could not be read', action: 'retry' },
  store_unavailable: {
    title: 'The database cannot be used now',
    detail: 'The disk may be full. Free some space, then try again.',
    action: 'retry',
  },
  database_newer: { title: 'The database was written by a newer Creel', action: 'retry' },
  data_dir_owned: { title: 'Another Creel uses this data directory', action: 'retry' },
  address_in_use: { title: 'The address is in use', action: 'retry' },
  too_large_to_show: { title: 'Too large to show', action: 'none' },
};

/** Sentence and action for a failure; the server's own words where the table has none. */
export function classify(failure: Failure): Classified {
  const rule = rules[failure.code];
  if (!rule) {
    return { title: failure.message, detail: failure.help ?? '', action: 'retry' };
  }
  return { title: rule.title, detail: rule.detail ?? failure.sentences, action: rule.action };
}
