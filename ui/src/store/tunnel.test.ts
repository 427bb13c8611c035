import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../errors/failure';
import type { OperationInput } from '../host/contract';
import type { OperationName } from '../host/operations';
import { TunnelStore } from './tunnel.svelte';
import { TunnelChoices } from './tunnelChoices.svelte';
import { asSentence, tunnelAnnouncement } from './tunnelWords';

const state = (status: string, more: object = {}) => ({
  status,
  log_lines: 0,
  notes: [],
  endpoints_affected: [],
  ...more,
});

/** An engine whose answers wait until they are let go. */
function bench() {
  const asked: string[] = [];
  const waiting: { resolve: (answer: unknown) => void; reject: (thrown: unknown) => void }[] = [];
  const call = <T>(operation: OperationName, _input?: OperationInput) => {
    asked.push(operation);
    return new Promise<T>((resolve, reject) => waiting.push({ resolve: resolve as (answer: unknown) => void, reject }));
  };
  return { store: new TunnelStore({ call }), asked, next: () => waiting.shift() };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the tunnel’s state', () => {
  it('is not undone by an answer that was asked for before the stream told more', async () => {
    const { store, next } = bench();
    const loading = store.load();
    store.apply(state('ready', { log_lines: 2 }));
    next()?.resolve({ ...state('starting', { log_lines: 1 }), log: [{ n: 1, at: '', stream: 'stdout', text: 'a' }] });
    await loading;
    expect(store.state?.status).toBe('ready');
    expect(store.log.map(({ text }) => text)).toEqual(['a']);
  });
  it('is kept when it cannot be fetched, and a load never rejects', async () => {
    const { store, next } = bench();
    store.apply(state('ready'));
    const loading = store.load();
    next()?.reject(new Failure('unreachable', 'gone'));
    await loading;
    expect(store.state?.status).toBe('ready');
    expect(store.failure?.code).toBe('unreachable');
    expect(store.runs).toBe(true);
  });
  it('takes no value that says nothing, and fills what an older engine leaves out', () => {
    const { store } = bench();
    for (const odd of [null, 'x', {}, { status: 7 }, []]) store.apply(odd);
    expect(store.state).toBeNull();
    store.apply({ status: 'failed', notes: 'none' });
    expect(store.state).toMatchObject({ status: 'failed', notes: [], endpoints_affected: [], public_url: null });
    expect(store.runs).toBe(false);
  });
  it('rejects a start with what the engine says of it', async () => {
    const { store, next } = bench();
    const start = store.start({ provider: 'ssh' });
    next()?.reject(new Failure('missing_value', 'x', null, 'options.destination'));
    await expect(start).rejects.toMatchObject({ field: 'options.destination' });
  });
});

describe('the log', () => {
  it('is not shortened by the late answer to an earlier request', async () => {
    const { store, next } = bench();
    const line = (n: number) => ({ n, at: '', stream: 'stdout', text: `line ${n}` });
    const loading = [store.load(), store.load()];
    const [earlier, later] = [next(), next()];
    later?.resolve({ ...state('ready', { log_lines: 2 }), log: [line(1), line(2)] });
    await loading[1];
    earlier?.resolve({ ...state('ready', { log_lines: 1 }), log: [line(1)] });
    await loading[0];
    expect(store.log.map(({ n }) => n)).toEqual([1, 2]);
  });
  it('is fetched when it has grown and somebody looks, many lines at once', async () => {
    const { store, asked, next } = bench();
    store.apply(state('ready', { log_lines: 1 }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked, 'nobody looks').toEqual([]);
    const leave = store.watchLog();
    next()?.resolve({ ...state('ready', { log_lines: 1 }), log: [] });
    await vi.advanceTimersByTimeAsync(0);
    for (let lines = 2; lines < 50; lines += 1) store.apply(state('ready', { log_lines: lines }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual(['tunnel.get', 'tunnel.get']);
    store.apply(state('ready', { log_lines: 49 }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked, 'nothing new').toHaveLength(2);
    store.apply(state('ready', { log_lines: 50 }));
    leave();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked, 'nobody looks any more').toHaveLength(2);
  });
});

describe('what was chosen', () => {
  it('is there at the next start, and says that it was explained', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    } as Storage;
    const first = new TunnelChoices(storage);
    expect(first.explained).toBe(false);
    first.keep('ssh', { destination: 'me@host' });
    first.keep('bore', {});
    const second = new TunnelChoices(storage);
    expect([second.explained, second.provider, second.valuesOf('ssh')]).toEqual([
      true,
      'bore',
      { destination: 'me@host' },
    ]);
    expect(second.valuesOf('ngrok')).toEqual({});
  });
  it('survives storage that is refused or holds something else', () => {
    expect(new TunnelChoices(null).explained).toBe(false);
    for (const text of ['7', '{"explained":"yes","values":[7],"provider":{}}', '{', '{"values":{"a":{"b":7}}}']) {
      const odd = new TunnelChoices({ getItem: () => text } as unknown as Storage);
      expect([odd.explained, odd.provider, odd.valuesOf('a')]).toEqual([false, '', {}]);
    }
  });
});

describe('words', () => {
  it('are sentences, whatever the engine begins and ends with', () => {
    expect(asSentence('the server closed the connection')).toBe('The server closed the connection.');
    expect(asSentence(' Done! ')).toBe('Done!');
    expect(asSentence('')).toBe('');
  });
  it('tell a change of state with its reason', () => {
    const said = { ...state('restarting'), reason: 'bore ended with exit code 0' } as unknown as Parameters<
      typeof tunnelAnnouncement
    >[0];
    expect(tunnelAnnouncement(said)).toBe('Tunnel restarting. Bore ended with exit code 0.');
  });
});
