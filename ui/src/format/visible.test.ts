import { describe, expect, it } from 'vitest';
import { segments, visible, whitened } from './visible';

describe('segments', () => {
  it('leaves plain text, tabs and line ends alone', () => {
    expect(segments('a\tb\nc é 漢 🎣')).toEqual([{ text: 'a\tb\nc é 漢 🎣', mark: null }]);
    expect(segments('')).toEqual([{ text: '', mark: null }]);
  });
  it('marks every control character but tab and line feed', () => {
    for (let point = 0; point < 0xa0; point += 1) {
      const printable = (point >= 0x20 && point < 0x7f) || point === 0x09 || point === 0x0a;
      const marks = segments(`a${String.fromCharCode(point)}b`).filter((segment) => segment.mark !== null);
      expect(marks.length, `U+${point.toString(16)}`).toBe(printable ? 0 : 1);
    }
  });
  it('marks what reorders or hides text, with its name', () => {
    const [before, mark, after] = segments('invoice\u202efdp.exe');
    expect(before).toEqual({ text: 'invoice', mark: null });
    expect(mark).toEqual({ text: 'U+202E', mark: 'right-to-left override U+202E' });
    expect(after).toEqual({ text: 'fdp.exe', mark: null });
    const hidden = [
      '\u200b',
      '\u200d',
      '\u2028',
      '\u2066',
      '\ufeff',
      '\u00ad',
      '\u061c',
      '\u{e0041}',
      '\ud800',
      '\udfff',
    ];
    for (const text of hidden) expect(segments(text)[0]?.mark, JSON.stringify(text)).toBeTruthy();
  });
  it('loses nothing but the marked characters themselves', () => {
    const text = '\u0000a\u001b[31mred\r\n\u200bz';
    const plain = segments(text).filter((segment) => segment.mark === null);
    expect(plain.map((segment) => segment.text).join('')).toBe('a[31mred\nz');
  });
});

describe('visible', () => {
  it('keeps a value in one line', () => {
    expect(visible('a\nb\tc\u0007')).toBe('a‹LF›b‹HT›c‹BEL›');
  });
});

describe('whitened', () => {
  it('marks line ends, tabs and spaces that end a line, and keeps the lines', () => {
    const pieces = whitened('a  \r\nb\t c\n\u200b ');
    expect(pieces.map((piece) => piece.text + piece.behind).join('')).toBe('a··CRLF\nbHT\t cLF\nU+200B·');
    expect(pieces.filter((piece) => piece.mark === null).map((piece) => piece.text)).toEqual(['a', 'b', ' c']);
    expect(whitened('plain')).toEqual([{ text: 'plain', mark: null, behind: '' }]);
    expect(whitened('')).toEqual([]);
  });
});
