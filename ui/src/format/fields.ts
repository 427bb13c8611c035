import { utf8 } from './bytes';

/** Name and value, decoded where that could be done. */
export type FieldPair = [name: string, value: string];

/** `+` is a space, `%XX` a byte (WHATWG URL, section 5.1); what does not decode to UTF-8 stays as it was sent. */
function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return text;
  }
}

/** The pairs of a query or an `application/x-www-form-urlencoded` body, in order, repeats kept. */
export function urlFields(text: string): FieldPair[] {
  if (text === '') return [];
  return text.split('&').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
  });
}

/** One part of a `multipart/form-data` body. `text` is null where it is no UTF-8, or too long to be shown in a table. */
export type Part = {
  name: string;
  fileName: string | null;
  contentType: string | null;
  size: number;
  text: string | null;
};

/** Parts that are listed at most. */
const PARTS_MAX = 500;
/** A part's text that is shown in a table, in bytes. */
const PART_TEXT_BYTES_MAX = 4 * 1024;

const latin = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);

/** The `boundary` of a content type (RFC 2046 section 5.1.1), or null. */
export function boundaryOf(contentType: string): string | null {
  const found = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
}

function parameter(header: string, name: string): string | null {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i').exec(header);
  const value = found?.[1] ?? found?.[2];
  if (value === undefined) return null;
  // Header bytes were read one by one; names in UTF-8 are put together again.
  return utf8(Uint8Array.from(value, (character) => character.charCodeAt(0))) ?? value;
}

/** A part with the line end before its head, which may be empty. */
function part(bytes: Uint8Array): Part | null {
  const headLength = latin(bytes.subarray(0, 16 * 1024)).indexOf('\r\n\r\n');
  if (headLength < 0) return null;
  const lines = latin(bytes.subarray(0, headLength)).split('\r\n');
  const header = (name: string) =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? null;
  const disposition = header('content-disposition') ?? '';
  const body = bytes.subarray(headLength + 4);
  return {
    name: parameter(disposition, 'name') ?? '',
    fileName: parameter(disposition, 'filename'),
    contentType: header('content-type'),
    size: body.length,
    text: body.length <= PART_TEXT_BYTES_MAX ? utf8(body) : null,
  };
}

/** The parts of a multipart body (RFC 7578), or null when it has not that form. */
export function multipart(bytes: Uint8Array, boundary: string): Part[] | null {
  const text = latin(bytes);
  const delimiter = `\r\n--${boundary}`;
  // The first delimiter may stand at the very beginning, without the line end before it.
  let at = text.startsWith(delimiter.slice(2)) ? -2 : text.indexOf(delimiter);
  if (at === -1) return null;
  const parts: Part[] = [];
  while (parts.length < PARTS_MAX) {
    const lineEnd = text.indexOf('\r\n', at + delimiter.length);
    if (text.startsWith('--', at + delimiter.length) || lineEnd < 0) return parts;
    const next = text.indexOf(delimiter, lineEnd);
    const found = part(bytes.subarray(lineEnd, next < 0 ? bytes.length : next));
    if (!found) return null;
    parts.push(found);
    if (next < 0) return parts;
    at = next;
  }
  return parts;
}
