import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../errors/failure';
import type { Host, OperationInput } from '../host/contract';
import type { DeliverySummary } from '../host/types';
import { Deletions, UNDO_MS } from './deletions.svelte';
import { DeliveryStore } from './deliveries.svelte';
import { NO_FILTER } from './filter';
import { readDelivery } from './read';
import { ToastStore } from './toasts.svelte';

type Row = { id: string; seq: number; status?: string };
const row = (seq: number, status = 'dispatched'): Row => ({ id: `d${seq}`, seq, status });
const down = (from: number, count: number) => Array.from({ length: count }, (_, n) => row(from - n));

/** The same as the API's answer to a call is read. */
const whole = (seq: number, status = 'dispatched') => readDelivery(row(seq, status)) as DeliverySummary;

type Asked = {
  operation: string;
  query: Record<string, unknown>;
  body: unknown;
  answer: (page?: object) => Promise<void>;
  fail: (failure: Failure) => Promise<void>;
};

/** An engine whose answers wait until the test lets them go. */
function bench() {
  const asked: Asked[] = [];
  const call = (operation: string, input: OperationInput, signal?: AbortSignal) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Failure('aborted', 'x')));
      asked.push({
        operation,
        query: input.query as Record<string, unknown>,
        body: input.body,
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
  const host = { call } as unknown as Host;
  const store = new DeliveryStore(host);
  return { host, store, asked, last: () => asked.at(-1) as Asked, ids: () => store.rows.map((one) => one.id) };
}

const page = (rows: Row[], next: number | null = null, total = rows.length, rank: number | null = null) => ({
  deliveries: rows,
  next_before: next,
  total,
  total_is_minimum: false,
  rank,
});

async function loaded(rows: Row[], next: number | null = null, total = rows.length) {
  const it = bench();
  const load = it.store.load();
  await it.last().answer(page(rows, next, total));
  await load;
  return it;
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('DeliveryStore', () => {
  it('joins pages and live rows into one list without repeats', async () => {
    const { store, ids } = await loaded([row(4), row(3)]);
    store.apply(row(5));
    store.apply(row(5));
    store.apply(row(3, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d5', 'd4', 'd3']);
    expect(store.rows[2]?.status).toBe('failed');
    expect(store.total).toBe(3);
  });

  it('shows what comes in within a frame as one change', async () => {
    const { store, ids } = await loaded([]);
    for (let seq = 1; seq <= 5_000; seq += 1) store.apply(row(seq));
    expect(ids()).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(store.total).toBe(5_000);
    expect(ids()[0]).toBe('d5000');
  });

  it('fetches where somebody looks, from the newest row that is shown on, and holds no more', async () => {
    const { store, asked, last } = await loaded(down(1_000_000, 100), 999_901, 1_000_000);
    expect(store.length).toBe(1_000_000);
    store.look(600_000, 600_030);
    expect(store.row(600_000)).toBe('loading');
    expect(last().query).toMatchObject({ before: 999_901, skip: 599_960 - 100, limit: 100 });
    await last().answer(page(down(1_000_000 - 599_960, 100), 400_000 - 60, 1_000_000));
    expect(store.row(600_000)).toMatchObject({ seq: 400_000 });
    const before = asked.length;
    store.look(600_001, 600_031);
    expect(asked).toHaveLength(before);
    for (let rank = 0; rank < 900_000; rank += 9_000) {
      store.look(rank, rank + 30);
      const from = rank < 40 ? 0 : rank - 40;
      await last().answer(page(down(1_000_000 - from, 100), 1, 1_000_000));
    }
    expect(store.rows.length).toBeLessThanOrEqual(5_000);
  });

  it('tells by how much the list has to move for what is looked at to hold still', async () => {
    const { store } = await loaded(down(500, 100), 401, 500);
    store.look(50, 60);
    const seen = (store.row(50) as DeliverySummary).id;
    store.apply(row(501));
    store.apply(row(502));
    store.flush();
    expect(store.drift).toBe(2);
    expect(store.rankOf(seen)).toBe(52);
    store.hide([whole(502)]);
    expect(store.drift).toBe(1);
    // What goes within the view does not move what is above it.
    store.hide([store.row(51) as DeliverySummary]);
    expect(store.drift).toBe(1);
  });

  it('says which rows could not be fetched, and fetches them again when asked to', async () => {
    const { store, last } = await loaded(down(1_000, 100), 901, 1_000);
    store.look(500, 530);
    await last().fail(new Failure('unreachable', 'gone'));
    expect(store.row(510)).toBe('failed');
    expect(store.row(0)).toMatchObject({ seq: 1_000 });
    expect(store.pageFailure?.code).toBe('unreachable');
    store.retryPages();
    expect(store.row(510)).toBe('loading');
    await last().answer(page(down(540, 100), 441, 1_000));
    expect(store.row(510)).toMatchObject({ seq: 490 });
  });

  it('stays at what is looked at when everything is fetched anew', async () => {
    const { store, asked, last } = await loaded(down(300, 100), 201, 300);
    store.look(50, 60);
    const load = store.load();
    expect(last().query).toMatchObject({ before: 251, rank: true });
    // Meanwhile forty of the newer ones were deleted.
    await last().answer(page(down(250, 100), 151, 260, 10));
    await load;
    expect(store.drift).toBe(-40);
    expect(store.row(10)).toMatchObject({ seq: 250 });
    expect(asked.at(-1)?.query).toMatchObject({ limit: 10 });
  });

  it('never lets a late answer to a replay replace what the live stream has told since', async () => {
    const { store } = await loaded([]);
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

  it('never lets an older answer replace a newer live row, nor bring back what was deleted', async () => {
    const { store, asked, ids } = bench();
    const load = store.load();
    store.apply(row(1, 'failed'));
    store.apply({ id: 'd3', deleted: true });
    store.flush();
    await asked[0]?.answer(page([row(3), row(2), row(1, 'queued')]));
    await load;
    expect(ids()).toEqual(['d2', 'd1']);
    expect(store.rows[1]?.status).toBe('failed');
  });

  it('leaves out changes of rows that nobody looks at', async () => {
    const { store, ids } = await loaded([row(9), row(8)], 8, 5);
    store.apply(row(2));
    store.flush();
    expect(ids()).toEqual(['d9', 'd8']);
    expect(store.total).toBe(5);
  });

  it('shows only what fits the filter, and drops a row that no longer does', async () => {
    const { store, last, ids } = bench();
    store.setFilter({ ...NO_FILTER, status: 'queued' });
    expect(last().query).toMatchObject({ status: 'queued' });
    await last().answer(page([row(1, 'queued')]));
    store.apply(row(2, 'queued'));
    store.apply(row(3, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d2', 'd1']);
    store.apply(row(2, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d1']);
    store.apply(row(3, 'queued'));
    store.flush();
    expect(ids()).toEqual(['d3', 'd1']);
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
    const { store, last } = await loaded([row(1)]);
    store.apply(row(2));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(last().query).toMatchObject({ limit: 1 });
    await last().answer(page([row(2)], 2, 77));
    expect(store.total).toBe(77);
  });

  it('lets a list with a least total grow as its end comes near, and ends it where the engine does', async () => {
    const { store, last } = bench();
    const load = store.load();
    await last().answer({ ...page(down(200, 100), 101, 100), total_is_minimum: true });
    await load;
    expect(store.length).toBe(200);
    store.look(170, 200);
    await last().answer({ ...page(down(100, 20), null, 100), total_is_minimum: true });
    expect([store.length, store.total, store.totalIsMinimum]).toEqual([120, 120, false]);
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
});

describe('Deletions', () => {
  const deleting = async () => {
    const it = await loaded(down(5, 5));
    const toasts = new ToastStore();
    const deletions = new Deletions({ host: it.host, deliveries: it.store, toasts });
    const sent = () => it.asked.filter(({ operation }) => operation === 'deliveries.delete_matching');
    return { ...it, toasts, deletions, sent };
  };

  it('takes rows out at once, and tells the engine when the time is over', async () => {
    const { store, deletions, ids, sent } = await deleting();
    deletions.delete([whole(4), whole(2)]);
    expect(ids()).toEqual(['d5', 'd3', 'd1']);
    expect(store.total).toBe(3);
    await vi.advanceTimersByTimeAsync(UNDO_MS - 1);
    expect(sent()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent().map(({ body }) => body)).toEqual([{ ids: ['d4', 'd2'] }]);
    expect(deletions.list).toEqual([]);
  });

  it('brings the newest back in its place, and leaves the engine alone', async () => {
    const { store, deletions, ids, sent } = await deleting();
    deletions.delete([whole(4)]);
    deletions.delete([whole(2), whole(1)]);
    // What changes meanwhile stays hidden, and so does what a fetch brings.
    store.apply(row(2, 'failed'));
    store.flush();
    expect(ids()).toEqual(['d5', 'd3']);
    expect(deletions.undo().map(({ id }) => id)).toEqual(['d2', 'd1']);
    expect(ids()).toEqual(['d5', 'd3', 'd2', 'd1']);
    deletions.undo();
    expect(deletions.undo()).toEqual([]);
    expect(store.total).toBe(5);
    await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
    expect(sent()).toHaveLength(0);
  });

  it('deletes at once when the page is left', async () => {
    const { deletions, sent } = await deleting();
    deletions.delete([whole(4)]);
    deletions.carryOutAll();
    expect(sent()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect(sent()).toHaveLength(1);
  });

  it('brings rows back, and says so, when the engine did not delete them', async () => {
    const { deletions, toasts, ids, sent } = await deleting();
    deletions.delete([whole(4)]);
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    await sent()[0]?.fail(new Failure('unreachable', 'gone'));
    expect(ids()).toEqual(['d5', 'd4', 'd3', 'd2', 'd1']);
    expect(toasts.list[0]?.text).toMatch(/^Not deleted/);
  });
});
