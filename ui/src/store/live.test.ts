import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../errors/failure';
import type { LiveEvent, LiveListener } from '../host/contract';
import { LiveJoin, type Connection } from './live';

/** A stream in the test's hand: each subscription can be opened, fed and broken. */
function bench() {
  const log: string[] = [];
  const states: Connection['state'][] = [];
  const subscriptions: { lastEventId: string | null; listener: LiveListener; fail: (failure: Failure) => void }[] = [];
  let syncs: { done: () => void; fail: (failure: Failure) => void }[] = [];
  const join = new LiveJoin({
    host: {
      events: (lastEventId, listener, signal) =>
        new Promise<void>((resolve, reject) => {
          subscriptions.push({ lastEventId, listener, fail: reject });
          signal.addEventListener('abort', () => resolve());
        }),
    },
    sync: () => {
      log.push('sync');
      return new Promise((resolve, reject) => syncs.push({ done: resolve, fail: reject }));
    },
    apply: (event) => log.push(event.id),
    onConnection: (connection) => states.push(connection.state),
  });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return {
    join,
    log,
    states,
    subscriptions,
    newest: () => subscriptions.at(-1) as (typeof subscriptions)[number],
    event: (id: string, event = 'delivery') =>
      subscriptions.at(-1)?.listener.onEvent({ id, event, data: {} } satisfies LiveEvent),
    async synced(failure?: Failure) {
      const waiting = syncs;
      syncs = [];
      for (const sync of waiting) {
        if (failure) sync.fail(failure);
        else sync.done();
      }
      await settle();
    },
    settle,
  };
}

describe('LiveJoin', () => {
  it('subscribes first, then fetches, then drains what came meanwhile, in order', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    expect(it.log).toEqual([]);
    it.newest().listener.onOpen();
    expect(it.log).toEqual(['sync']);
    it.event('1');
    it.event('2');
    expect(it.log).toEqual(['sync']);
    await it.synced();
    it.event('3');
    expect(it.log).toEqual(['sync', '1', '2', '3']);
    expect(it.states).toEqual(['connecting', 'catching_up', 'live']);
    it.join.stop();
  });

  it('takes the stream up after its last event without fetching again', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    it.newest().listener.onOpen();
    await it.synced();
    it.event('r-7');
    it.newest().fail(new Failure('unreachable', 'gone'));
    await it.settle();
    expect(it.states.at(-1)).toBe('lost');
    await vi.advanceTimersByTimeAsync(300);
    expect(it.newest().lastEventId).toBe('r-7');
    it.newest().listener.onOpen();
    expect(it.log).toEqual(['sync', 'r-7']);
    expect(it.states.at(-1)).toBe('live');
    it.join.stop();
  });

  it('fetches everything anew on resync, and applies nothing before that', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    it.newest().listener.onOpen();
    await it.synced();
    it.event('r-2', 'resync');
    it.event('r-3');
    expect(it.log).toEqual(['sync', 'sync']);
    await it.synced();
    expect(it.log).toEqual(['sync', 'sync', 'r-3']);
    it.join.stop();
  });

  it('fetches once more when a resync comes during a fetch', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    it.newest().listener.onOpen();
    it.event('x', 'resync');
    await it.synced();
    expect(it.log).toEqual(['sync', 'sync']);
    expect(it.states.at(-1)).toBe('catching_up');
    await it.synced();
    expect(it.states.at(-1)).toBe('live');
    it.join.stop();
  });

  it('fetches anew after a fetch that failed, with growing waits', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    for (const wait of [250, 500, 1000, 2000, 5000, 5000]) {
      const before = it.subscriptions.length;
      it.newest().listener.onOpen();
      await it.synced(new Failure('unreachable', 'gone'));
      expect(it.states.at(-1)).toBe('lost');
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(it.subscriptions.length).toBe(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(it.subscriptions.length).toBe(before + 1);
    }
    it.newest().listener.onOpen();
    await it.synced();
    expect(it.states.at(-1)).toBe('live');
    it.join.stop();
  });

  it('does not wait when told to reconnect now', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    it.newest().fail(new Failure('unreachable', 'gone'));
    await it.settle();
    it.join.retryNow();
    await it.settle();
    expect(it.subscriptions.length).toBe(2);
    it.join.stop();
  });

  it('stops for good when the token is refused', async () => {
    vi.useFakeTimers();
    const it = bench();
    const run = it.join.run();
    it.newest().fail(new Failure('unauthorized', 'no'));
    await run;
    expect(it.states.at(-1)).toBe('unauthorized');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(it.subscriptions.length).toBe(1);
  });

  it('fetches anew rather than keeping a queue without end', async () => {
    vi.useFakeTimers();
    const it = bench();
    void it.join.run();
    it.newest().listener.onOpen();
    for (let n = 0; n < 10_001; n += 1) it.event(`e${n}`);
    await it.synced();
    expect(it.log).toEqual(['sync', 'sync']);
    it.join.stop();
  });
});
