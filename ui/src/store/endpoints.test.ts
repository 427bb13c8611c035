import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Host } from '../host/contract';
import type { EndpointView } from '../host/types';
import { EndpointStore, senderUrl } from './endpoints.svelte';

const endpoint = (id: string): Partial<EndpointView> => ({
  id,
  token: `ep_${id}`,
  created_at: '2026-01-01T00:00:00.000Z',
  last_delivery_at: null,
});

/** An engine that counts one delivery more each time it is asked. */
function bench() {
  const asked: string[] = [];
  let broken = false;
  const call = (operation: string) => {
    asked.push(operation);
    if (broken) return Promise.reject(new Error('gone'));
    return Promise.resolve({ endpoints: [{ endpoint_id: 'a', deliveries: asked.length, by_status: { failed: 0 } }] });
  };
  const store = new EndpointStore({ call } as unknown as Host);
  store.apply(endpoint('a'));
  return { store, asked, fail: () => (broken = true), counted: () => store.counts.get('a')?.deliveries };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('counts', () => {
  it('are not asked for while nobody looks', async () => {
    const { store, asked } = bench();
    store.noteDelivery('a', '2026-01-01T00:00:01.000Z');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked).toEqual([]);
  });
  it('are asked for once a second at most, however many deliveries come, and stop with the last watcher', async () => {
    const { store, asked, counted } = bench();
    const stop = store.watchCounts();
    const other = store.watchCounts();
    await vi.advanceTimersByTimeAsync(0);
    const before = asked.length;
    for (let n = 0; n < 5_000; n += 1) store.noteDelivery('a', `2026-01-01T00:00:01.${n}Z`);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.length).toBe(before + 1);
    expect(counted()).toBe(asked.length);
    stop();
    store.noteDelivery('a', '2026-01-02T00:00:00.000Z');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.length).toBe(before + 2);
    store.noteDelivery('a', '2026-01-03T00:00:00.000Z');
    other();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBe(before + 2);
  });
  it('are not shown once they may be old', async () => {
    const { store, fail, counted } = bench();
    store.watchCounts();
    await vi.advanceTimersByTimeAsync(0);
    expect(counted()).toBe(1);
    fail();
    store.noteDelivery('a', '2026-01-01T00:00:01.000Z');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(counted()).toBeUndefined();
  });
});

describe('unsaved changes', () => {
  const closing = () => {
    const event = new Event('beforeunload', { cancelable: true });
    window.dispatchEvent(event);
    return event.defaultPrevented;
  };
  it('make the page ask before it is closed, until they are saved or their endpoint is gone', () => {
    const { store } = bench();
    expect(closing()).toBe(false);
    store.keepPending('a', { name: 'typed' });
    expect([store.pending.get('a'), closing()]).toEqual([{ name: 'typed' }, true]);
    store.keepPending('a', null);
    expect([store.pending.size, closing()]).toEqual([0, false]);
    store.keepPending('a', { name: 'typed' });
    store.apply({ id: 'a', deleted: true });
    expect([store.pending.size, closing()]).toEqual([0, false]);
  });
});

describe('senderUrl', () => {
  it('is the public one where one is known', () => {
    const local = { public_url: null, ingress_path: '/in/x', ingress_url: 'http://127.0.0.1:1/in/x' } as EndpointView;
    expect(senderUrl(local)).toBe('http://127.0.0.1:1/in/x');
    expect(senderUrl({ ...local, public_url: 'https://a.test/in/x' })).toBe('https://a.test/in/x');
    expect(senderUrl({ ...local, public_url: 'https://a.test/' })).toBe('https://a.test/in/x');
  });
});
