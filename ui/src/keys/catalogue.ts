import type { Command } from './commands.svelte';

/** A key for the list of keys. */
export type KeyEntry = Pick<Command, 'id' | 'title' | 'group' | 'keys'>;

/**
 * Keys of parts that are not always on the screen, so that the list of keys is whole from the first moment. Each part
 * registers its own; `e2e/keyboard.spec.ts` opens all of them and fails when this and theirs differ.
 */
export const ELSEWHERE: KeyEntry[] = [
  { group: 'Deliveries', id: 'list.next', title: 'Next delivery', keys: ['j'] },
  { group: 'Deliveries', id: 'list.previous', title: 'Previous delivery', keys: ['k'] },
  { group: 'Deliveries', id: 'list.open', title: 'Open the delivery', keys: ['Enter'] },
  { group: 'Deliveries', id: 'list.back', title: 'Close, or select nothing', keys: ['Escape'] },
  { group: 'Deliveries', id: 'list.newest', title: 'Go to the newest', keys: ['g g'] },
  { group: 'Deliveries', id: 'list.oldest', title: 'Go to the oldest', keys: ['G'] },
  { group: 'Deliveries', id: 'list.next_failed', title: 'Next failed delivery', keys: ['n'] },
  { group: 'Deliveries', id: 'list.previous_failed', title: 'Previous failed delivery', keys: ['N'] },
  { group: 'Deliveries', id: 'list.replay', title: 'Replay', keys: ['r'] },
  { group: 'Deliveries', id: 'list.copy', title: 'Copy as curl', keys: ['y'] },
  { group: 'Deliveries', id: 'list.pin', title: 'Pin or unpin', keys: ['p'] },
  { group: 'Deliveries', id: 'list.select', title: 'Select', keys: ['x'] },
  { group: 'Deliveries', id: 'list.select_all', title: 'Select all that are loaded', keys: ['Ctrl+a'] },
  { group: 'Deliveries', id: 'list.delete', title: 'Delete', keys: ['Delete'] },
  { group: 'Deliveries', id: 'list.undo', title: 'Undo the deletion', keys: ['u', 'Ctrl+z'] },
  { group: 'Deliveries', id: 'list.follow', title: 'Follow what comes in', keys: ['f'] },
  { group: 'Deliveries', id: 'list.pause', title: 'Pause the list', keys: ['Space'] },
  { group: 'Deliveries', id: 'list.filter', title: 'Filter', keys: ['/'] },
  { group: 'Delivery', id: 'detail.replay', title: 'Replay', keys: ['r'] },
  { group: 'Delivery', id: 'detail.curl', title: 'Copy as curl', keys: ['y'] },
  { group: 'Delivery', id: 'detail.body', title: 'Copy the body', keys: ['Y'] },
  { group: 'Delivery', id: 'detail.find', title: 'Find in the body', keys: ['Ctrl+F'] },
  { group: 'Delivery', id: 'detail.close', title: 'Close the delivery', keys: ['Escape'] },
  { group: 'Delivery', id: 'detail.tab.overview', title: 'Show overview', keys: ['1'] },
  { group: 'Delivery', id: 'detail.tab.body', title: 'Show body', keys: ['2'] },
  { group: 'Delivery', id: 'detail.tab.headers', title: 'Show headers', keys: ['3'] },
  { group: 'Delivery', id: 'detail.tab.signature', title: 'Show signature', keys: ['4'] },
  { group: 'Delivery', id: 'detail.tab.arrivals', title: 'Show arrivals', keys: ['5'] },
  { group: 'Delivery', id: 'detail.tab.attempts', title: 'Show attempts', keys: ['6'] },
  { group: 'Delivery', id: 'detail.tab.response', title: 'Show response', keys: ['7'] },
  { group: 'Endpoints', id: 'endpoints.new', title: 'New endpoint', keys: ['n'] },
  { group: 'Endpoints', id: 'endpoints.save', title: 'Save the endpoint', keys: ['Ctrl+S'] },
];

/** All keys: what is registered now, and what other parts will register; `here` tells which is which. */
export function allKeys(registered: Command[]): (KeyEntry & { here: boolean })[] {
  const now = registered.filter(({ keys, listed }) => keys.length > 0 && listed !== 'palette');
  const known = new Map<string, KeyEntry & { here: boolean }>(
    ELSEWHERE.map((one) => [one.id, { ...one, here: false }]),
  );
  for (const { id, title, group, keys } of now) known.set(id, { id, title, group, keys, here: true });
  return [...known.values()];
}
