import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../errors/failure';
import type { Host, OperationInput } from '../host/contract';
import { DeliveryStore } from './deliveries.svelte';
import { NO_FILTER } from './filter';
import { readDelivery } from './read';
import type { DeliverySummary } from '../host/types';

type Row = { id: string; seq: number; status?: string };
const row = (seq: number, status = 'dispatched'): Row => ({ id: `d${seq}`, seq, status });

/** The same as the API's answer to a call is read. */
const whole = (seq: number, status: string) => readDelivery(row(seq, status)) as DeliverySummary;

/** An engine whose answers wait until the test lets them go. */
function bench() {
  const asked: {
    query: Record<string, unknown>;
    answer: (page: object) => Promise<void>;
    fail: (failure: Failure) => Promise<void>;
  }[] = [];
  const call = (_: string, input: OperationInput, signal?: AbortSignal) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Failure('aborted', 'x')));
      asked.push({
        query: input.query as Record<string, unknown>,
        answer: async (page) => {
          resolve(page);
          await vi.advanceTimersByTimeAsync(0);
        },
        fail: async (failure) => {
          reject(failure);
          await vi.advanceTimersByTimeAsync(0);
        },
      });
    });
  const store = new DeliveryStore({ call } as unknown as Host);
  return { store, asked, ids: () => store.rows.map((one) => one.id) };
}

const page = (rows: Row[], next: number | null = null, total = rows.length) => ({
  deliveries: rows,
  next_before: next,
  total,
  total_is_minimum: false,
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('DeliveryStore', () => {
  it('joins pages and live rows into one list without repeats', async () => {
    const { store, asked, ids } = bench();
    const load = store.load();
    await asked[0]?.answer(page([row(4), row(3)], 3, 4));
    await load;
    store.apply(row(5));
    store.apply(row(5));
    store.apply(row(3, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d5', 'd4', 'd3']);
    expect(store.rows[2]?.status).toBe('failed');
    expect(store.total).toBe(5);
    void store.loadOlder();
    expect(asked.at(-1)?.query).toMatchObject({ before: 3 });
    await asked.at(-1)?.answer(page([row(2), row(1)], null, 5));
    expect(ids()).toEqual(['d5', 'd4', 'd3', 'd2', 'd1']);
    expect(store.older).toBe('end');
  });

  it('never lets a late answer to a replay replace what the live stream has told since', async () => {
    const { store, asked } = bench();
    const load = store.load();
    await asked[0]?.answer(page([]));
    await load;
    store.apply(row(1, 'dispatched'));
    store.learn(whole(1, 'queued'));
    store.flush();
    store.learn(whole(1, 'queued'));
    store.learn(whole(2, 'queued'));
    store.flush();
    expect(store.rows.map((one) => [one.seq, one.status])).toEqual([
      [2, 'queued'],
      [1, 'dispatched'],
    ]);
  });

  it('never lets an older answer replace a newer live row', async () => {
    const { store, asked } = bench();
    const load = store.load();
    store.apply(row(1, 'failed'));
    store.flush();
    await asked[0]?.answer(page([row(1, 'queued')]));
    await load;
    expect(store.rows.map((one) => one.status)).toEqual(['failed']);
  });

  it('does not bring back what was deleted while a page was under way', async () => {
    const { store, asked, ids } = bench();
    const load = store.load();
    store.apply({ id: 'd1', deleted: true });
    await asked[0]?.answer(page([row(2), row(1)]));
    await load;
    expect(ids()).toEqual(['d2']);
  });

  it('leaves out live rows that are older than what is loaded: scrolling fetches them', async () => {
    const { store, asked, ids } = bench();
    const load = store.load();
    await asked[0]?.answer(page([row(9), row(8)], 8, 5));
    await load;
    store.apply(row(2));
    store.flush();
    expect(ids()).toEqual(['d9', 'd8']);
    expect(store.total).toBe(5);
  });

  it('shows only what fits the filter, and drops a row that no longer does', async () => {
    const { store, asked, ids } = bench();
    store.setFilter({ ...NO_FILTER, status: 'queued' });
    expect(asked.at(-1)?.query).toMatchObject({ status: 'queued' });
    await asked.at(-1)?.answer(page([row(1, 'queued')]));
    store.apply(row(2, 'queued'));
    store.apply(row(3, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d2', 'd1']);
    store.apply(row(2, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d1']);
  });

  it('ignores the answer to a filter that is no longer set', async () => {
    const { store, asked, ids } = bench();
    store.setFilter({ ...NO_FILTER, q: 'a' });
    store.setFilter({ ...NO_FILTER, q: 'ab' });
    await asked[1]?.answer(page([row(2)]));
    await asked[0]?.answer(page([row(1)]));
    expect(ids()).toEqual(['d2']);
    expect(store.phase).toBe('ready');
  });

  it('takes the total from the engine after live changes', async () => {
    const { store, asked } = bench();
    const load = store.load();
    await asked[0]?.answer(page([row(1)]));
    await load;
    store.apply(row(2));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(asked.at(-1)?.query).toMatchObject({ limit: 1 });
    await asked.at(-1)?.answer(page([row(2)], 2, 77));
    expect(store.total).toBe(77);
  });

  it('tells a failure from an empty list, and keeps what was shown when a later fetch fails', async () => {
    const { store, asked, ids } = bench();
    const failing = store.load().catch((failure: Failure) => failure.code);
    await asked[0]?.fail(new Failure('unreachable', 'gone'));
    expect(await failing).toBe('unreachable');
    expect(store.phase).toBe('failed');
    const load = store.load();
    await asked[1]?.answer(page([row(1)]));
    await load;
    expect(store.phase).toBe('ready');
    const again = store.load().catch(() => undefined);
    await asked[2]?.fail(new Failure('unreachable', 'gone'));
    await again;
    expect(store.phase).toBe('ready');
    expect(ids()).toEqual(['d1']);
  });

  it('offers to try again when an older page cannot be had', async () => {
    const { store, asked } = bench();
    const load = store.load();
    await asked[0]?.answer(page([row(9)], 9, 2));
    await load;
    void store.loadOlder();
    await asked[1]?.fail(new Failure('unreachable', 'gone'));
    expect(store.older).toBe('failed');
    void store.loadOlder();
    await asked[2]?.answer(page([row(1)], null, 2));
    expect(store.older).toBe('end');
  });
});
