import type { Chord } from './chord';

/** Which keys belong to the thing that has the focus, so that no command takes them away. */

const TEXT_INPUTS = ':not([type="checkbox"], [type="radio"], [type="button"], [type="submit"], [type="range"])';
const WRITING = `input${TEXT_INPUTS}, textarea, select, [contenteditable]:not([contenteditable="false"]), .cm-editor`;
const PRESSED = 'button, a[href], summary, input, [role="button"], [role="tab"], [role^="menuitem"], [role="option"]';
const MOVED =
  'input[type="radio"], input[type="range"], [role="radio"], [role="tablist"], [role="separator"], [role="menu"], [role="listbox"], [role="slider"]';
const DIALOGS = 'dialog[open], [role="dialog"], [role="alertdialog"]';

/** Keys that a focused button, link or tab takes for itself. */
const PRESSING = new Set<Chord>([' ', 'enter']);
/** Chords that a text field has of its own. */
const EDITING = new Set<Chord>(['Ctrl+a', 'Ctrl+c', 'Ctrl+v', 'Ctrl+x', 'Ctrl+y', 'Ctrl+z', 'Ctrl+Shift+z']);
const MOVING = new Set<Chord>(['arrowup', 'arrowdown', 'arrowleft', 'arrowright', 'home', 'end']);

/** The element behind shadow roots, such as an editor's. */
export function deepFocus(root: DocumentOrShadowRoot = document): Element | null {
  const active = root.activeElement;
  return active?.shadowRoot ? (deepFocus(active.shadowRoot) ?? active) : active;
}

function isIn(target: Element | null | undefined, selector: string): boolean {
  return Boolean(target?.closest(selector));
}

/** Whether the user writes there: a text field, a select, an editor, also inside a shadow root. */
export function isWriting(target: Element | null): boolean {
  return isIn(target, WRITING) || (target?.shadowRoot ? isIn(deepFocus(target.shadowRoot), WRITING) : false);
}

/**
 * What stands in a command's way: `keys` when the key belongs to the focused thing, `dialog` when one is open. A chord
 * with Ctrl works while writing, but for those that edit.
 */
export function bars(target: Element | null, chord: Chord): { keys: boolean; dialog: Element | null } {
  const keys =
    ((!chord.startsWith('Ctrl+') || EDITING.has(chord)) && isWriting(target)) ||
    (PRESSING.has(chord) && isIn(target, PRESSED)) ||
    (MOVING.has(chord) && isIn(target, MOVED));
  const dialog = [...(target?.ownerDocument ?? document).querySelectorAll(DIALOGS)].at(-1) ?? null;
  return { keys, dialog };
}
