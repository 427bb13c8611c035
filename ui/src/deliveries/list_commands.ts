import type { Command } from '../keys/commands.svelte';
import type { Session } from '../store/session.svelte';
import type { Listing } from './listing.svelte';

type Around = {
  listing: Listing;
  session: Session;
  /** Whether a delivery is open: its own commands come first then. */
  isOpen: () => boolean;
  replay: () => void;
  copy: () => void;
  filter: () => void;
};

/** What the keyboard can do with the list. */
export function listCommands({ listing, session, isOpen, replay, copy, filter }: Around): Command[] {
  const has = () => listing.targets.length > 0;
  const alone = () => !isOpen() && listing.activeRow !== undefined;
  const command = (id: string, title: string, keys: string[], run: () => unknown, more: Partial<Command> = {}) =>
    ({ id: `list.${id}`, title, group: 'Deliveries', keys, run, ...more }) satisfies Command;
  return [
    command('next', 'Next delivery', ['j'], () => listing.move(1), { repeats: true, listed: 'overlay' }),
    command('previous', 'Previous delivery', ['k'], () => listing.move(-1), { repeats: true, listed: 'overlay' }),
    command('open', 'Open the delivery', ['Enter'], () => listing.open(), { enabled: alone, listed: 'overlay' }),
    command('back', 'Close, or select nothing', ['Escape'], () => listing.back(), {
      enabled: () => isOpen() || session.selection.size > 0,
      listed: 'overlay',
    }),
    command('newest', 'Go to the newest', ['g g'], () => listing.moveTo(0)),
    command('oldest', 'Go to the oldest', ['G'], () => listing.moveTo(session.deliveries.length - 1)),
    command('next_failed', 'Next failed delivery', ['n'], () => listing.jumpToFailed('older')),
    command('previous_failed', 'Previous failed delivery', ['N'], () => listing.jumpToFailed('newer')),
    command('replay', 'Replay', ['r'], replay, { enabled: alone }),
    command('copy', 'Copy as curl', ['y'], copy, { enabled: alone }),
    command('pin', 'Pin or unpin', ['p'], () => listing.togglePin(), { enabled: has }),
    command('select', 'Select', ['x'], () => listing.pick(), { enabled: has }),
    command('select_all', 'Select all that are loaded', ['Ctrl+a'], () => listing.pickAll()),
    command('delete', 'Delete', ['Delete'], () => listing.delete(listing.targets), { enabled: has }),
    command('undo', 'Undo the deletion', ['u', 'Ctrl+z'], () => listing.undo(), {
      enabled: () => session.deletions.list.length > 0,
    }),
    command('follow', 'Follow what comes in', ['f'], () => listing.toggleFollow()),
    command('pause', 'Pause the list', ['Space'], () => listing.togglePause()),
    command('filter', 'Filter', ['/'], filter),
  ];
}
