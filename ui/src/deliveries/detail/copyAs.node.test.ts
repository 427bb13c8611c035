// @vitest-environment node
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import blns from '../../../e2e/hostile/blns.json';
import { utf8 } from '../../format/bytes';
import { curl, fetchCall, rawHttp, targetUrl, type WrittenRequest } from './copyAs';

type Got = { method: string; url: string; headers: [string, string][]; body: Buffer };

let server: Server;
let base: string;
let dir: string;
let got: Got[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'creel-curl-'));
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const raw = request.rawHeaders;
      const headers: [string, string][] = [];
      // Node reads header bytes as Latin-1.
      for (let at = 0; at < raw.length; at += 2) {
        headers.push([raw[at] ?? '', Buffer.from(raw[at + 1] ?? '', 'latin1').toString('utf8')]);
      }
      got.push({ method: request.method ?? '', url: request.url ?? '', headers, body: Buffer.concat(pieces) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  rmSync(dir, { recursive: true });
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => (got = []));

function request(body: Uint8Array | string, more: Partial<WrittenRequest> = {}): WrittenRequest {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return {
    method: 'POST',
    url: `${base}/hook`,
    headers: [['Content-Type', 'application/json']],
    body: bytes,
    text: utf8(bytes),
    fileName: 'the.body',
    ...more,
  };
}

async function bash(script: string): Promise<void> {
  // As a file: a long script is no argument.
  const file = join(dir, 'script');
  writeFileSync(file, script);
  await promisify(execFile)('bash', ['-euo', 'pipefail', file], { maxBuffer: 1 << 24 });
}

const quiet = (command: string) => command.replace(/\bcurl --globoff/, 'curl -sS --globoff');

async function run(command: string): Promise<Got> {
  await bash(quiet(command));
  const [one] = got;
  if (!one || got.length !== 1) throw new Error(`${got.length} requests came`);
  got = [];
  return one;
}

describe('curl', () => {
  const bodies: [string, string | Uint8Array][] = [
    ['quotes', `it's "quoted" '' \\' \\\\ \`id\` $(id) \${HOME} !! \\n %s`],
    ['line ends', 'a\nb\r\nc\n\n'],
    ['a leading @', '@/etc/passwd'],
    ['a leading @-', '@-'],
    ['a leading dash', '--help'],
    ['an equals sign and an ampersand', 'a=b&c=%20d+e;f'],
    ['no ASCII', 'é 漢字 😀 \u202e\u200b\ufeff'],
    ['control characters', '\u0001\u001b[31m\t\u007f'],
    ['NUL', 'a\0b'],
    ['bytes that are no UTF-8', Uint8Array.from({ length: 256 }, (_, at) => at)],
    ['long text', `"${'x'.repeat(60 * 1024)}"`],
    ['longer than an argument may be', `'${'y'.repeat(300 * 1024)}'`],
    ['nothing', ''],
  ];
  it.each(bodies)('sends a body with %s byte for byte', async (_, body) => {
    const written = request(body);
    const came = await run(curl(written));
    expect(came.body.equals(Buffer.from(written.body))).toBe(true);
    expect(came.method).toBe('POST');
  });

  it('sends each of the big list of naughty strings as it is', async () => {
    const written = blns.filter((text) => text !== '');
    expect(written.length).toBeGreaterThan(400);
    await bash(written.map((text) => quiet(curl(request(text)))).join('\n'));
    expect(got.map((one) => one.body.toString('utf8'))).toEqual(written);
  }, 60_000);

  it('sends the headers that came, and no others', async () => {
    const headers: [string, string][] = [
      ['X-Quote', `it's "here" $(id) \`id\``],
      ['X-Same', '1'],
      ['X-Empty', ''],
      ['X-Same', '2'],
      ['X-Text', 'é 😀'],
      ['X-At', '@/etc/passwd'],
    ];
    const came = await run(
      curl(request('{}', { headers: [...headers, ['Content-Length', '999'], ['Host', 'other']] })),
    );
    const added = new Set(['host', 'content-length']);
    expect(came.headers.filter(([name]) => !added.has(name.toLowerCase()))).toEqual(headers);
    expect(came.headers).toContainEqual(['Content-Length', '2']);
  });

  it('keeps method, path and query as they are', async () => {
    const url = `${base}/a/../b/{x}/[y]?q=it's&list[]=1&%7B=%2f`;
    const came = await run(curl(request('', { method: 'PATCH', url })));
    expect([came.method, came.url]).toEqual(['PATCH', `/a/../b/{x}/[y]?q=it's&list[]=1&%7B=%2f`]);
    expect((await run(curl(request('', { method: 'HEAD' })))).method).toBe('HEAD');
  });

  it('names a file where the body is too long for a command', () => {
    const long = request('z'.repeat(1024 * 1024 + 1));
    expect(curl(long)).toContain('--data-binary @the.body');
  });
});

describe('fetchCall', () => {
  it('is code that sends the same bytes', async () => {
    for (const body of ['it\'s `${1}` </script> \u2028 "\\', Uint8Array.from([0, 255, 10, 39]), '']) {
      const written = request(body, { headers: [['X-Text', `"it's"`]] });
      await promisify(execFile)(process.execPath, ['--input-type=module', '-e', fetchCall(written)]);
      expect(got[0]?.body.equals(Buffer.from(written.body))).toBe(true);
      expect(got[0]?.headers).toContainEqual(['X-Text', `"it's"`]);
      got = [];
    }
  });
});

describe('rawHttp', () => {
  it('writes request line, headers in order and the text', () => {
    const written = request('a\nb', {
      url: 'http://localhost:3000/p?q=1',
      headers: [
        ['A', '1'],
        ['a', '2'],
      ],
    });
    expect(rawHttp(written)).toBe('POST /p?q=1 HTTP/1.1\r\nA: 1\r\na: 2\r\n\r\na\nb');
  });
});

describe('targetUrl', () => {
  it('joins paths and queries as the relay does', () => {
    expect(targetUrl('http://h:1/app/?k=1', '/x%2f/', 'a=b')).toBe('http://h:1/app/x%2f/?k=1&a=b');
    expect(targetUrl('http://h:1', '', null)).toBe('http://h:1/');
    expect(targetUrl('http://h:1/app/', '', null)).toBe('http://h:1/app');
    expect(targetUrl('http://h:1/app', '/a', '')).toBe('http://h:1/app/a?');
  });
});
