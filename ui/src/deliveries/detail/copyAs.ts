import { base64, shellWord } from '../../format/shell';

/** A request to be written down for another program. */
export type WrittenRequest = {
  method: string;
  url: string;
  headers: readonly (readonly [string, string])[];
  body: Uint8Array;
  /** The body as text; null when it is no UTF-8. */
  text: string | null;
  /** Where the body is to be saved when it is too long for a command. */
  fileName: string;
};

/** Bytes of a body that go into a command as text; one argument may have 128 KiB on Linux (MAX_ARG_STRLEN). */
const TEXT_BYTES_MAX = 64 * 1024;
/** Bytes of a body that go into a command at all: above that it is named as a file. 1 MiB. */
export const INLINE_BYTES_MAX = 1024 * 1024;

/** Headers of one connection, and those that the sending program makes itself. */
const DROPPED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);
/** What curl adds unasked; named without a value it leaves them out (curl manual, `--header`). */
const ADDED_BY_CURL = ['User-Agent', 'Accept', 'Content-Type', 'Expect'];

const kept = (headers: WrittenRequest['headers']) => headers.filter(([name]) => !DROPPED.has(name.toLowerCase()));

/** The URL at which a target gets a delivery: its own path and query, then those of the request (CONTRACT section 6). */
export function targetUrl(target: string, path: string, query: string | null): string {
  if (!URL.canParse(target)) return target;
  const url = new URL(target);
  const own = url.search.slice(1);
  const joined = `${url.pathname.replace(/\/$/, '')}${path}` || '/';
  const queries = query === null ? own : own === '' ? query : query === '' ? own : `${own}&${query}`;
  return `${url.origin}${joined}${queries === '' && query === null ? '' : `?${queries}`}`;
}

/** Control characters do not survive being pasted into a terminal; a line feed inside quotes does. */
function isPlain(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u0009\u000b-\u001f\u007f]/.test(text);
}

function headerArguments(headers: WrittenRequest['headers']): string[] {
  const sent = kept(headers);
  const names = new Set(sent.map(([name]) => name.toLowerCase()));
  // A header without a value is written with a semicolon (curl manual, `--header`).
  const given = sent.map(([name, value]) => (value === '' ? `${name};` : `${name}: ${value}`));
  const removed = ADDED_BY_CURL.filter((name) => !names.has(name.toLowerCase())).map((name) => `${name}:`);
  return [...given, ...removed].map((line) => `-H ${shellWord(line)}`);
}

/** A command for a POSIX shell that sends exactly these bytes. */
export function curl(request: WrittenRequest): string {
  const { method, body, text } = request;
  const verb = method === 'HEAD' ? ['--head'] : ['-X', shellWord(method)];
  const lines = [
    `curl --globoff --path-as-is ${verb.join(' ')} ${shellWord(request.url)}`,
    ...headerArguments(request.headers),
  ];
  const command = (...more: string[]) => [...lines, ...more].join(' \\\n  ');
  if (body.length === 0) return command();
  if (body.length > INLINE_BYTES_MAX) return command(`--data-binary ${shellWord(`@${request.fileName}`)}`);
  // `--data-raw` takes a leading @ as it is; `--data-binary` would read a file.
  if (text !== null && body.length <= TEXT_BYTES_MAX && isPlain(text)) return command(`--data-raw ${shellWord(text)}`);
  return `printf %s ${base64(body)} | base64 -d | ${command('--data-binary @-')}`;
}

/** The request as it stands on the wire, or its head alone where the body is no text. */
export function rawHttp(request: WrittenRequest): string {
  const at = /^[a-z]+:\/\/[^/?#]*/i.exec(request.url)?.[0].length ?? 0;
  const target = request.url.slice(at);
  const head = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${request.method} ${target === '' ? '/' : target} HTTP/1.1\r\n${head}\r\n${request.text ?? ''}`;
}

/** A JavaScript string; JSON's is one, once the two line ends that only JSON allows are escaped. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** A call of `fetch`. */
export function fetchCall(request: WrittenRequest): string {
  const headers = kept(request.headers).map(([name, value]) => `    [${literal(name)}, ${literal(value)}],\n`);
  const body =
    request.body.length === 0
      ? ''
      : request.text !== null
        ? `  body: ${literal(request.text)},\n`
        : `  body: Uint8Array.from(atob(${literal(base64(request.body))}), (c) => c.charCodeAt(0)),\n`;
  return (
    `await fetch(${literal(request.url)}, {\n  method: ${literal(request.method)},\n` +
    `  headers: [\n${headers.join('')}  ],\n${body}});\n`
  );
}
