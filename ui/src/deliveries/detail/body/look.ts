import type { CodeLanguage } from '../../../components/code/editor';
import { utf8 } from '../../../format/bytes';
import { boundaryOf, multipart, urlFields, type FieldPair, type Part } from '../../../format/fields';
import { formatJson } from '../../../format/json';
import { count } from '../../../format/size';

/** Bytes that the editor takes; above that, windows are fetched. 2 MiB. */
export const EDITOR_BYTES_MAX = 2 * 1024 * 1024;
/** UTF-16 units of formatted JSON that the editor takes: indentation multiplies deep bodies. */
const FORMATTED_UNITS_MAX = 6 * 1024 * 1024;
/** Deeper nesting gets no colours and folds: the editor's parser would take long for it. */
const COLOURED_DEPTH_MAX = 400;

export type Fields = { kind: 'form'; pairs: FieldPair[] } | { kind: 'multipart'; parts: Part[] };

/** What a body of moderate size is, and in which forms it can be looked at. */
export type BodyLook = {
  /** All of it, null when it is no UTF-8. */
  text: string | null;
  language: CodeLanguage;
  formatted: string | null;
  /** Why JSON was not formatted. */
  notJson: string | null;
  fields: Fields | null;
};

function fieldsOf(bytes: Uint8Array, text: string | null, contentType: string): Fields | null {
  const type = contentType.toLowerCase();
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return text === null ? null : { kind: 'form', pairs: urlFields(text) };
  }
  const boundary = type.startsWith('multipart/') ? boundaryOf(contentType) : null;
  const parts = boundary === null ? null : multipart(bytes, boundary);
  return parts === null ? null : { kind: 'multipart', parts };
}

function place(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `line ${count(line)}, column ${count(at - before.lastIndexOf('\n'))}`;
}

export function lookAt(bytes: Uint8Array, contentType: string): BodyLook {
  const text = utf8(bytes);
  const look: BodyLook = { text, language: 'text', formatted: null, notJson: null, fields: null };
  look.fields = fieldsOf(bytes, text, contentType);
  if (text === null) return look;
  const claimsJson = /[/+]json\b/i.test(contentType);
  const beginning = /^\ufeff?\s*(.)/.exec(text)?.[1];
  if (claimsJson || beginning === '{' || beginning === '[') {
    const result = formatJson(text, FORMATTED_UNITS_MAX);
    if (result.ok === true) {
      look.formatted = result.text;
      look.language = result.depth <= COLOURED_DEPTH_MAX ? 'json' : 'text';
    } else if (result.ok === 'too_long') {
      look.notJson = 'It is nested so deeply that indenting it would make it many times longer.';
    } else if (claimsJson) {
      look.notJson = `It is not valid JSON: ${result.reason} (${place(text, result.at)}).`;
    }
  } else if (/[/+]xml\b/i.test(contentType) || /^\ufeff?\s*<\?xml/.test(text)) {
    look.language = 'xml';
  }
  return look;
}
