/**
 * Keys as they are written, pressed and shown. A binding is one chord (`r`, `Shift+R`, `Ctrl+K`, `ArrowDown`) or several
 * in a row with a space between them (`g g`). `Ctrl` stands for the platform's main modifier: Command on macOS.
 */

/** One press, in the one form that bindings and events are compared in: `Ctrl+k`, `Shift+r`, `?`, `arrowdown`. */
export type Chord = string;

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'> & {
  getModifierState?: (key: string) => boolean;
};

const aliases: Record<string, string> = {
  space: ' ',
  plus: '+',
  minus: '-',
  comma: ',',
  esc: 'escape',
  del: 'delete',
  up: 'arrowup',
  down: 'arrowdown',
  left: 'arrowleft',
  right: 'arrowright',
};

const isLetter = (key: string) => key.length === 1 && key.toLowerCase() !== key.toUpperCase();

function chord(key: string, ctrl: boolean, alt: boolean, shift: boolean): Chord {
  const parts = [];
  if (ctrl) parts.push('Ctrl');
  if (alt) parts.push('Alt');
  // A sign such as `?` already says which keys make it on this keyboard; only letters and named keys have a Shift.
  if (shift && (isLetter(key) || key.length > 1)) parts.push('Shift');
  parts.push(key.toLowerCase());
  return parts.join('+');
}

function parseChord(written: string): Chord {
  const names = written === '+' ? ['+'] : written.split('+');
  const key = names.pop() ?? '';
  const modifiers = new Set(names.map((name) => name.toLowerCase()));
  const shift = modifiers.has('shift') || (isLetter(key) && key !== key.toLowerCase() && !modifiers.has('ctrl'));
  return chord(aliases[key.toLowerCase()] ?? key, modifiers.has('ctrl'), modifiers.has('alt'), shift);
}

/** The chords of a binding, in the order they are pressed. */
export function parseBinding(binding: string): Chord[] {
  return binding.split(' ').map(parseChord);
}

/** What was pressed, or null for a modifier alone. */
export function pressed(event: KeyPress, mac: boolean): Chord | null {
  const { key } = event;
  if (['Control', 'Shift', 'Alt', 'Meta', 'AltGraph', 'CapsLock', 'Dead', 'Process', 'Unidentified'].includes(key)) {
    return null;
  }
  // AltGr reports as Ctrl+Alt on Windows: it makes a sign and is no chord.
  const altGraph = event.getModifierState?.('AltGraph') ?? false;
  const main = !altGraph && (mac ? event.metaKey : event.ctrlKey);
  const other = mac ? event.ctrlKey : event.metaKey;
  if (other && !altGraph) return null;
  const alt = event.altKey && !altGraph;
  // On many keyboards `+` is Shift and `=`; browsers take both for "larger", and so do we.
  return chord(main && key === '=' ? '+' : key, main, alt, event.shiftKey);
}

const shown: Record<string, string> = {
  ' ': 'Space',
  '-': '−',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
  escape: 'Esc',
  delete: 'Del',
  pageup: 'PgUp',
  pagedown: 'PgDn',
};

function shownChord(one: Chord, mac: boolean): string[] {
  const names = one === '+' ? ['+'] : one.replace(/\+\+$/, '+plus').split('+');
  const last = names.pop() ?? '';
  const key = last === 'plus' ? '+' : last;
  const caps = names.map((name) => (!mac ? name : ({ Ctrl: '⌘', Alt: '⌥', Shift: '⇧' }[name] ?? name)));
  // Alone, a letter is shown as it is typed: `G` instead of Shift and `g`.
  if (isLetter(key) && names.length === 1 && names[0] === 'Shift') return [key.toUpperCase()];
  const name = shown[key] ?? (key.length > 1 ? key.charAt(0).toUpperCase() + key.slice(1) : key);
  return [...caps, isLetter(key) && names.length > 0 ? key.toUpperCase() : name];
}

/** The caps of a binding for people, one list for each press: `[['Ctrl', 'K']]`, `[['g'], ['g']]`. */
export function shownBinding(binding: string, mac: boolean): string[][] {
  return parseBinding(binding).map((one) => shownChord(one, mac));
}

/** Whether this looks like a Mac, whose main modifier is Command. */
export function isMac(platform: string): boolean {
  return /mac|iphone|ipad/i.test(platform);
}
