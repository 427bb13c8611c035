import { getContext, setContext } from 'svelte';
import { parseBinding, pressed, type Chord } from './chord';
import { bars } from './focus';

/**
 * Everything the window can do from the keyboard. Components register their commands while they are there; one
 * dispatcher on the window runs them, the `?` overlay and the palette list them.
 */

/** A group of the `?` overlay and the palette, in the order in which they are shown. */
export const GROUPS = ['Deliveries', 'Delivery', 'Go to', 'View', 'Endpoints', 'Tunnel', 'Help'] as const;
export type Group = (typeof GROUPS)[number];

export type Command = {
  /** Unique among the commands that are there at one time, such as `list.next`. */
  id: string;
  /** What it does, in the imperative: `Replay`. */
  title: string;
  group: Group;
  /** Bindings: `'j'`, `'ArrowDown'`, `'g g'`, `'Shift+R'`, `'Ctrl+K'`. None: palette only. */
  keys: string[];
  run: () => unknown;
  /** Absent: always. One that is not enabled leaves its key to others and is not in the palette. */
  enabled?: () => boolean;
  /** Runs again while the key is held down. Moving does; anything that changes something must not. */
  repeats?: boolean;
  /** Also runs inside an open dialog, as zoom does. A dialog's own commands say `within` instead. */
  everywhere?: boolean;
  /** Runs only while the focus is inside this element. */
  within?: () => Element | null | undefined;
  /** Shown in the overlay, or the palette, or both. Default: both. */
  listed?: 'both' | 'overlay' | 'palette';
};

/** A sequence such as `g g` is forgotten after this long without its next key. In milliseconds. */
const SEQUENCE_MS = 1_000;

type Binding = { command: Command; chords: Chord[] };

export class Commands {
  /** All that are registered, oldest first. */
  list = $state.raw<Command[]>([]);
  readonly mac: boolean;
  #bindings: Binding[] = [];
  #pending: Chord[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(mac: boolean) {
    this.mac = mac;
  }

  /** Adds commands until the returned function is called. Of two with one key the one registered last is asked first. */
  register(commands: Command[]): () => void {
    this.#set([...this.list, ...commands]);
    return () => this.#set(this.list.filter((command) => !commands.includes(command)));
  }

  isEnabled(command: Command): boolean {
    return command.enabled?.() ?? true;
  }

  run(command: Command): void {
    if (this.isEnabled(command)) command.run();
  }

  /** The window's listener. Returns whether a command ran, or a sequence goes on. */
  handle(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || event.isComposing) return false;
    const chord = pressed(event, this.mac);
    if (chord === null) return false;
    const target = event.target instanceof Element ? event.target : null;
    const barred = bars(target, chord);
    const open = this.#bindings.filter(
      ({ command }) => !barred.keys && allowed(command, target, barred.dialog) && this.isEnabled(command),
    );
    const done = this.#advance([...this.#pending, chord], open, event) || this.#retry(chord, open, event);
    if (done) event.preventDefault();
    return done;
  }

  /** A key that does not continue a sequence begins anew. */
  #retry(chord: Chord, open: Binding[], event: KeyboardEvent): boolean {
    return this.#pending.length > 0 && this.#advance([chord], open, event);
  }

  #advance(chords: Chord[], open: Binding[], event: KeyboardEvent): boolean {
    const matching = open.filter((one) => chords.every((chord, at) => one.chords[at] === chord));
    const exact = matching.findLast((one) => one.chords.length === chords.length);
    if (exact) {
      this.#wait([]);
      // A held key is still ours, even where it does nothing: the page must not scroll instead.
      if (!event.repeat || exact.command.repeats) exact.command.run();
      return true;
    }
    if (matching.length > 0) {
      this.#wait(chords);
      return true;
    }
    if (chords.length === 1) this.#wait([]);
    return false;
  }

  #wait(chords: Chord[]): void {
    clearTimeout(this.#timer);
    this.#pending = chords;
    if (chords.length > 0) this.#timer = setTimeout(() => (this.#pending = []), SEQUENCE_MS);
  }

  #set(list: Command[]): void {
    this.list = list;
    this.#bindings = list.flatMap((command) => command.keys.map((key) => ({ command, chords: parseBinding(key) })));
  }
}

function allowed(command: Command, target: Element | null, dialog: Element | null): boolean {
  const inside = command.within?.();
  if (command.within && !(inside && target && inside.contains(target))) return false;
  return dialog === null || command.everywhere === true || (inside ? dialog.contains(inside) : false);
}

const KEY = Symbol('commands');

export function provideCommands(commands: Commands): Commands {
  return setContext(KEY, commands);
}

/** The commands of the component's tree: `onMount(() => useCommands().register([...]))`, called during initialisation. */
export function useCommands(): Commands {
  return getContext<Commands>(KEY);
}
