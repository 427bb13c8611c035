/** Text shown as it is, or a mark with a name for what would be invisible or would reorder its neighbours. */
export type Segment = { text: string; mark: null } | { text: string; mark: string };

/** Names of the C0 control characters (ECMA-48), by code. */
const CONTROLS = (
  'NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI ' +
  'DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'
).split(' ');

const NAMES: Record<number, string> = {
  0x00ad: 'soft hyphen',
  0x061c: 'arabic letter mark',
  0x180e: 'mongolian vowel separator',
  0x200b: 'zero-width space',
  0x200c: 'zero-width non-joiner',
  0x200d: 'zero-width joiner',
  0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark',
  0x2028: 'line separator',
  0x2029: 'paragraph separator',
  0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding',
  0x202c: 'pop directional formatting',
  0x202d: 'left-to-right override',
  0x202e: 'right-to-left override',
  0x2060: 'word joiner',
  0x2066: 'left-to-right isolate',
  0x2067: 'right-to-left isolate',
  0x2068: 'first strong isolate',
  0x2069: 'pop directional isolate',
  0xfeff: 'byte order mark',
  0xfffd: 'replacement character',
};

/** C0 without tab and line feed, DEL, C1, and the format characters above, tag characters, and lone surrogates. */
export const HIDDEN = new RegExp(
  '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f' +
    '\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb' +
    '\\u{e0000}-\\u{e007f}\\ud800-\\udfff]',
  'gu',
);

function code(point: number): string {
  return `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The mark that stands for a character of `HIDDEN`. */
export function marked(character: string): { text: string; mark: string } {
  const point = character.codePointAt(0) ?? 0;
  const name = NAMES[point];
  const control = point === 0x7f ? 'DEL' : CONTROLS[point];
  if (control) return { text: control, mark: `control character ${code(point)}` };
  return { text: code(point), mark: name ? `${name} ${code(point)}` : `invisible character ${code(point)}` };
}

/** Cuts text into stretches; joined, the plain ones and the originals of the marks are the text again. */
export function segments(text: string): Segment[] {
  const result: Segment[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > from) result.push({ text: text.slice(from, match.index), mark: null });
    result.push(marked(match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length || result.length === 0) result.push({ text: text.slice(from), mark: null });
  return result;
}

/** Text for an attribute or a single line: marks inline, line ends and tabs too. */
export function visible(text: string): string {
  return segments(text)
    .map((segment) => (segment.mark ? `\u2039${segment.text}\u203a` : segment.text))
    .join('')
    .replaceAll('\n', '\u2039LF\u203a')
    .replaceAll('\t', '\u2039HT\u203a');
}

/** As a segment; `behind` is what the mark stands for where that has to stay, such as a line's end. */
export type WhitePiece = { text: string; mark: string | null; behind: string };

/** As `segments`, with line ends, tabs, and spaces at the end of a line or of the text marked, too. */
export function whitened(text: string): WhitePiece[] {
  const result: WhitePiece[] = [];
  const WHITE = /\r\n|\n|\t| +(?=\r?\n|$)/g;
  const plain = (stretch: string) => {
    if (stretch !== '') result.push(...segments(stretch).map((piece) => ({ ...piece, behind: '' })));
  };
  let from = 0;
  for (const match of text.matchAll(WHITE)) {
    plain(text.slice(from, match.index));
    const [found] = match;
    if (found === '\r\n') result.push({ text: 'CRLF', mark: 'carriage return and line feed', behind: '\n' });
    else if (found === '\n') result.push({ text: 'LF', mark: 'line feed', behind: '\n' });
    else if (found === '\t') result.push({ text: 'HT', mark: 'tab', behind: '\t' });
    else result.push({ text: '·'.repeat(found.length), mark: 'spaces at the end', behind: '' });
    from = match.index + found.length;
  }
  plain(text.slice(from));
  return result;
}
