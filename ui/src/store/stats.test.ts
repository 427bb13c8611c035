import { afterEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../errors/failure';
import type { Host, OperationInput } from '../host/contract';
import { StatsStore } from './stats.svelte';

/** A host of which only the figures are asked for; the test says what it answers. */
function bench() {
  const engine = { invalid: 0, missing: 0, more: false, gone: false };
  const call = vi.fn((operation: string, input?: OperationInput): Promise<unknown> => {
    if (engine.gone) return Promise.reject(new Failure('unreachable', 'gone'));
    if (operation === 'health.get') return Promise.resolve({ status: 'ok', version: '1.2.3' });
    if (operation === 'stats.get') return Promise.resolve({ deliveries: 7 });
    const verdict = input?.query?.signature_status as 'invalid' | 'missing';
    return Promise.resolve({ deliveries: [], total: engine[verdict], total_is_minimum: engine.more });
  });
  return { engine, call, store: new StatsStore({ call } as unknown as Host) };
}

describe('StatsStore', () => {
  afterEach(() => vi.useRealTimers());

  it('knows how many signatures do not hold and how many are not there', async () => {
    const { engine, store } = bench();
    Object.assign(engine, { invalid: 3, missing: 2 });
    await store.load();
    expect(store.byVerdict).toEqual({
      invalid: { rows: 3, isMinimum: false },
      missing: { rows: 2, isMinimum: false },
    });
    expect(store.version).toBe('1.2.3');
  });

  it('says when there may be more than were counted', async () => {
    const { engine, store } = bench();
    Object.assign(engine, { invalid: 10_000, more: true });
    await store.load();
    expect(store.byVerdict.invalid).toEqual({ rows: 10_000, isMinimum: true });
  });

  it('asks once for many changes, and shows no old figure when the engine does not answer', async () => {
    vi.useFakeTimers();
    const { engine, call, store } = bench();
    engine.invalid = 1;
    for (let change = 0; change < 100; change += 1) store.changed();
    await vi.runAllTimersAsync();
    expect(store.byVerdict.invalid?.rows).toBe(1);
    expect(call.mock.calls.filter(([operation]) => operation === 'stats.get')).toHaveLength(1);
    engine.gone = true;
    store.changed();
    await vi.runAllTimersAsync();
    expect(store.byVerdict).toEqual({});
    expect(store.stats).toBeNull();
  });
});
