/** The text of these bytes when they are valid UTF-8 to the last byte, else null. A byte order mark is kept. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * The length of the longest prefix of at most `limit` bytes that does not cut a UTF-8 sequence: a sequence has at most
 * four bytes (RFC 3629), so at most three are given up.
 */
export function utf8Prefix(bytes: Uint8Array, limit: number): number {
  if (bytes.length <= limit) return bytes.length;
  let end = limit;
  while (end > limit - 4 && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}

/** One line of a hex view. */
export type HexLine = { offset: string; hex: string; ascii: string };

export const BYTES_PER_LINE = 16;

/** Hex lines of bytes that begin at `from`: offset, sixteen bytes in two groups, and their printable ASCII. */
export function hexLines(bytes: Uint8Array, from = 0): HexLine[] {
  const lines: HexLine[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const row = bytes.subarray(at, at + BYTES_PER_LINE);
    let hex = '';
    let ascii = '';
    row.forEach((byte, index) => {
      hex += `${index === 0 ? '' : index === 8 ? '  ' : ' '}${byte.toString(16).padStart(2, '0')}`;
      ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
    });
    lines.push({ offset: (from + at).toString(16).padStart(8, '0'), hex: hex.padEnd(48, ' '), ascii });
  }
  return lines;
}
