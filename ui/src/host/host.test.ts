import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LiveEvent } from './contract';
import { address, HttpHost } from './http';
import { EventParser } from './sse';
import { takeToken } from './token';

afterEach(() => vi.unstubAllGlobals());

describe('EventParser', () => {
  const stream =
    ': hello\n\nid: r-1\nevent: delivery\ndata: {"id":"a",\ndata: "seq":1}\n\n' +
    'id: r-2\r\nevent: resync\r\ndata: null\r\n\r\n';
  const expected: LiveEvent[] = [
    { id: 'r-1', event: 'delivery', data: { id: 'a', seq: 1 } },
    { id: 'r-2', event: 'resync', data: null },
  ];
  it('reads the same events however the stream is cut', () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const parser = new EventParser();
      const events: LiveEvent[] = [];
      for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)));
      expect(events, `pieces of ${size}`).toEqual(expected);
    }
  });
  it('asks for everything anew when data cannot be read', () => {
    expect(new EventParser().push('id: 7\nevent: delivery\ndata: {oops\n\n')).toEqual([
      { id: '7', event: 'resync', data: null },
    ]);
  });
  it('makes no event of a comment', () => {
    expect(new EventParser().push(':\n\n: keep\n\n')).toEqual([]);
  });
});

describe('takeToken', () => {
  function page(hash: string) {
    const location = { hash, pathname: '/', search: '' } as Location;
    const history = { replaceState: vi.fn() } as unknown as History & { replaceState: ReturnType<typeof vi.fn> };
    return { location, history };
  }
  it('moves the token out of the address into the tab', () => {
    const { location, history } = page('#token=abc-_1');
    sessionStorage.clear();
    expect(takeToken(location, history, sessionStorage)).toBe('abc-_1');
    expect(history.replaceState).toHaveBeenCalledWith(null, '', '/');
    expect(takeToken(page('#/endpoints').location, history, sessionStorage)).toBe('abc-_1');
  });
  it('has none when the page was opened without', () => {
    sessionStorage.clear();
    const { location, history } = page('');
    expect(takeToken(location, history, sessionStorage)).toBeNull();
  });
});

describe('address', () => {
  it('fills and escapes parameters, and leaves out empty ones', () => {
    expect(address('deliveries.arrival_body', { params: { id: 'a/b?', n: 2 } })).toBe(
      '/api/deliveries/a%2Fb%3F/arrivals/2/body',
    );
    expect(address('deliveries.list', { query: { status: '', q: 'a b&c', before: undefined, limit: 5 } })).toBe(
      '/api/deliveries?q=a+b%26c&limit=5',
    );
  });
  it('refuses to call a wrong address', () => {
    expect(() => address('deliveries.get', {})).toThrow(/needs the parameter id/);
  });
});

describe('HttpHost', () => {
  const answer = (status: number, body: unknown) =>
    vi.fn(async () => new Response(body === null ? null : JSON.stringify(body), { status }));

  it('sends the token in a header, and the key of an idempotent call', async () => {
    const fetch = answer(201, { id: 'x' });
    vi.stubGlobal('fetch', fetch);
    await new HttpHost('T').call('deliveries.replay', { params: { id: '1' }, body: {}, idempotencyKey: 'k' });
    const [url, request] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(url).toBe('/api/deliveries/1/replay');
    expect(request.method).toBe('POST');
    expect(request.headers).toMatchObject({ Authorization: 'Bearer T', 'Idempotency-Key': 'k' });
    expect(request.credentials).toBe('omit');
  });
  it('says unauthorized without a token, and on 401', async () => {
    const fetch = answer(401, { error: { code: 'whatever', message: 'no' } });
    vi.stubGlobal('fetch', fetch);
    await expect(new HttpHost(null).call('stats.get')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(fetch).not.toHaveBeenCalled();
    await expect(new HttpHost('T').call('stats.get')).rejects.toMatchObject({ code: 'unauthorized' });
  });
  it('passes on the engine’s error with its field', async () => {
    vi.stubGlobal('fetch', answer(422, { error: { code: 'relay_loop', message: 'm', help: 'h', field: 'targets' } }));
    await expect(new HttpHost('T').call('endpoints.list')).rejects.toMatchObject({
      code: 'relay_loop',
      field: 'targets',
    });
  });
  it('says that the engine does not answer when nobody does', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('Failed to fetch'))),
    );
    await expect(new HttpHost('T').call('stats.get')).rejects.toMatchObject({ code: 'unreachable' });
  });
  it('takes up the stream after the last event, and tells when it breaks', async () => {
    const body = 'id: r-9\nevent: delivery\ndata: {"id":"a","seq":1}\n\n';
    const fetch = vi.fn(async () => new Response(body, { status: 200 }));
    vi.stubGlobal('fetch', fetch);
    const seen: string[] = [];
    const listener = { onOpen: () => seen.push('open'), onEvent: (event: LiveEvent) => seen.push(event.id) };
    await expect(new HttpHost('T').events('r-8', listener, new AbortController().signal)).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(seen).toEqual(['open', 'r-9']);
    const [, request] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(request.headers).toMatchObject({ 'Last-Event-ID': 'r-8' });
  });
});
