import { afterEach, beforeEach, describe, expect, it, vi, type Mock } from 'vitest';
import { isMac, shownBinding } from './chord';
import { Commands, type Command } from './commands.svelte';

let commands: Commands;
const listen = (event: KeyboardEvent) => void commands.handle(event);

beforeEach(() => {
  commands = new Commands(false);
  window.addEventListener('keydown', listen);
});
afterEach(() => {
  window.removeEventListener('keydown', listen);
  document.body.replaceChildren();
  vi.useRealTimers();
});

function command(keys: string[], more: Partial<Command> = {}): Command & { run: Mock<() => unknown> } {
  return { id: keys.join(), title: 'Do', group: 'View', keys, ...more, run: vi.fn<() => unknown>() };
}

/** Presses a key on the focused thing, or on the page; tells whether the page still gets it. */
function press(key: string, more: KeyboardEventInit = {}, on: Element = document.body): boolean {
  return on.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true, ...more }),
  );
}

function put(html: string): Element {
  const box = document.createElement('div');
  box.insertAdjacentHTML('beforeend', html);
  document.body.append(box);
  return box.querySelector('[data-at]') ?? box;
}

describe('Commands', () => {
  it('runs the command of a key, takes the key, and stops when it is no longer registered', () => {
    const one = command(['j', 'ArrowDown']);
    const leave = commands.register([one]);
    expect(press('j')).toBe(false);
    press('ArrowDown');
    expect(one.run).toHaveBeenCalledTimes(2);
    expect(press('x')).toBe(true);
    leave();
    expect(commands.list).toEqual([]);
    expect(press('j')).toBe(true);
    expect(one.run).toHaveBeenCalledTimes(2);
  });

  it('tells small from capital letters by Shift, whatever Caps Lock does', () => {
    const small = command(['n']);
    const capital = command(['N']);
    const written = command(['Shift+R']);
    commands.register([small, capital, written]);
    press('N');
    expect(small.run).toHaveBeenCalledTimes(1);
    press('N', { shiftKey: true });
    press('n', { shiftKey: true });
    expect(capital.run).toHaveBeenCalledTimes(2);
    press('R', { shiftKey: true });
    expect(written.run).toHaveBeenCalledTimes(1);
  });

  it('takes a sign as it is typed, on whichever keyboard', () => {
    const help = command(['?']);
    const filter = command(['/']);
    commands.register([help, filter]);
    press('?', { shiftKey: true });
    press('?');
    press('/', { shiftKey: true });
    expect(help.run).toHaveBeenCalledTimes(2);
    expect(filter.run).toHaveBeenCalledTimes(1);
  });

  it('runs a sequence, forgets it after a while, and lets a wrong key begin anew', () => {
    vi.useFakeTimers();
    const top = command(['g g']);
    const replay = command(['r']);
    commands.register([top, replay]);
    press('g');
    press('g');
    expect(top.run).toHaveBeenCalledTimes(1);
    press('g');
    vi.advanceTimersByTime(1_500);
    press('g');
    expect(top.run).toHaveBeenCalledTimes(1);
    press('r');
    expect(replay.run).toHaveBeenCalledTimes(1);
    press('g');
    expect(top.run).toHaveBeenCalledTimes(1);
    press('g');
    expect(top.run).toHaveBeenCalledTimes(2);
  });

  it('leaves keys to whoever writes, chords with Ctrl excepted', () => {
    const letter = command(['r']);
    const chord = command(['Ctrl+K']);
    const all = command(['Ctrl+A']);
    const undo = command(['Ctrl+Z']);
    commands.register([letter, chord, all, undo]);
    for (const html of [
      '<input data-at>',
      '<input type="search" data-at>',
      '<textarea data-at></textarea>',
      '<select data-at></select>',
      '<div contenteditable="true"><b data-at>x</b></div>',
      '<div class="cm-editor"><i data-at></i></div>',
    ]) {
      const at = put(html);
      expect(press('r', {}, at), html).toBe(true);
      expect(press('k', { ctrlKey: true }, at), html).toBe(false);
      expect(press('a', { ctrlKey: true }, at), `${html}: selects its own text`).toBe(true);
      expect(press('z', { ctrlKey: true }, at), `${html}: undoes its own typing`).toBe(true);
    }
    expect(letter.run).not.toHaveBeenCalled();
    expect(chord.run).toHaveBeenCalledTimes(6);
    press('r', {}, put('<input type="checkbox" data-at>'));
    expect(letter.run).toHaveBeenCalledTimes(1);
  });

  it('leaves keys to an editor in a shadow root', () => {
    const letter = command(['r']);
    commands.register([letter]);
    const host = put('<div data-at></div>');
    const editor = document.createElement('textarea');
    host.attachShadow({ mode: 'open' }).append(editor);
    editor.focus();
    press('r', {}, host);
    expect(letter.run).not.toHaveBeenCalled();
  });

  it('leaves Space and Enter to a button, and the arrows to tabs', () => {
    const pause = command(['Space', 'Enter']);
    const right = command(['ArrowRight']);
    commands.register([pause, right]);
    expect(press(' ', {}, put('<button data-at>b</button>'))).toBe(true);
    expect(press('Enter', {}, put('<a href="#x" data-at>b</a>'))).toBe(true);
    expect(press('ArrowRight', {}, put('<div role="tablist"><button role="tab" data-at></button></div>'))).toBe(true);
    expect(pause.run).not.toHaveBeenCalled();
    press(' ');
    expect(pause.run).toHaveBeenCalledTimes(1);
  });

  it('is silent behind an open dialog, but for what works everywhere and the dialog’s own', () => {
    const letter = command(['r']);
    const zoom = command(['Ctrl+Plus'], { everywhere: true });
    const at = put('<dialog open><button data-at>b</button></dialog>');
    const own = command(['?'], { within: () => at.closest('dialog') });
    commands.register([letter, zoom, own]);
    press('r', {}, at);
    press('+', { ctrlKey: true }, at);
    press('=', { ctrlKey: true }, at);
    press('?', {}, at);
    expect(letter.run).not.toHaveBeenCalled();
    expect(zoom.run).toHaveBeenCalledTimes(2);
    expect(own.run).toHaveBeenCalledTimes(1);
    press('?');
    expect(own.run).toHaveBeenCalledTimes(1);
  });

  it('gives a key to the command registered last that is enabled', () => {
    let open = true;
    const below = command(['Escape']);
    const above = command(['Esc'], { enabled: () => open });
    commands.register([below]);
    commands.register([above]);
    press('Escape');
    open = false;
    press('Escape');
    expect(above.run).toHaveBeenCalledTimes(1);
    expect(below.run).toHaveBeenCalledTimes(1);
  });

  it('repeats only what may be repeated', () => {
    const replay = command(['r']);
    const next = command(['j'], { repeats: true });
    commands.register([replay, next]);
    press('r');
    expect(press('r', { repeat: true })).toBe(false);
    press('j', { repeat: true });
    expect(replay.run).toHaveBeenCalledTimes(1);
    expect(next.run).toHaveBeenCalledTimes(1);
  });

  it('takes Command for Ctrl on a Mac, and nothing of the other one', () => {
    commands = new Commands(true);
    const palette = command(['Ctrl+K']);
    const letter = command(['k']);
    commands.register([palette, letter]);
    press('k', { ctrlKey: true });
    expect(palette.run).not.toHaveBeenCalled();
    press('k', { metaKey: true });
    expect(palette.run).toHaveBeenCalledTimes(1);
    expect(letter.run).not.toHaveBeenCalled();
  });

  it('does not take what a component has handled, a modifier alone, or a word being composed', () => {
    const letter = command(['r']);
    commands.register([letter]);
    const at = put('<div data-at></div>');
    at.addEventListener('keydown', (event) => event.preventDefault(), { once: true });
    press('r', {}, at);
    press('Shift', { shiftKey: true });
    press('r', { isComposing: true });
    press('r', { ctrlKey: true });
    expect(letter.run).not.toHaveBeenCalled();
  });
});

describe('shownBinding', () => {
  it('shows caps as they stand on the keyboard', () => {
    expect(shownBinding('Ctrl+K', false)).toEqual([['Ctrl', 'K']]);
    expect(shownBinding('Ctrl+K', true)).toEqual([['⌘', 'K']]);
    expect(shownBinding('g g', false)).toEqual([['g'], ['g']]);
    expect(shownBinding('G', false)).toEqual([['G']]);
    expect(shownBinding('Shift+R', false)).toEqual([['R']]);
    expect(shownBinding('ArrowDown', false)).toEqual([['↓']]);
    expect(shownBinding('Ctrl+Plus', false)).toEqual([['Ctrl', '+']]);
    expect(shownBinding('Ctrl+Minus', false)).toEqual([['Ctrl', '−']]);
    expect(shownBinding('Ctrl+,', false)).toEqual([['Ctrl', ',']]);
    expect(shownBinding('Del', false)).toEqual([['Del']]);
  });
  it('knows a Mac', () => {
    expect(isMac('MacIntel')).toBe(true);
    expect(isMac('Linux x86_64')).toBe(false);
  });
});
