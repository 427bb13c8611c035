import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OperationInput } from '../host/contract';
import { DEV_PORTS, Reach } from './reach.svelte';

type Asked = { urls: string[]; ask: boolean };

/** An engine on whose machine these URLs answer. */
function bench(answering: Set<string>, asks = true) {
  const asked: Asked[] = [];
  let broken = false;
  const call = (_: string, input?: OperationInput) => {
    const body = input?.body as Asked;
    asked.push(body);
    if (broken) return Promise.reject(new Error('gone'));
    const probes = body.urls.map((url) => ({
      url,
      reachable: answering.has(url),
      reason: answering.has(url) ? null : 'nothing answers',
      http_status: body.ask ? 404 : null,
      server: body.ask ? 'Express' : null,
      connected_ms: 1,
    }));
    return Promise.resolve({ probes });
  };
  const reach = new Reach({ call: call as never }, 2_000, asks);
  return { reach, asked, fail: (on: boolean) => (broken = on) };
}

const ONE = 'http://localhost:3000';
const TWO = 'http://localhost:5173';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('Reach', () => {
  it('probes when typing has settled, then in rounds, and asks a new app once what it is', async () => {
    const answering = new Set([ONE]);
    const { reach, asked } = bench(answering);
    reach.watch(['http://localhost:3']);
    reach.watch([ONE, TWO]);
    expect(reach.of(ONE)).toBe('unknown');
    await vi.advanceTimersByTimeAsync(250);
    expect([reach.of(ONE), reach.of(TWO)]).toEqual(['reachable', 'silent']);
    expect(asked).toEqual([
      { urls: [ONE, TWO], ask: false },
      { urls: [ONE], ask: true },
    ]);
    await vi.advanceTimersByTimeAsync(4_100);
    expect(asked.slice(2).every((call) => !call.ask)).toBe(true);
    expect(reach.probes.get(ONE)?.server).toBe('Express');
    answering.delete(ONE);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reach.of(ONE)).toBe('silent');
    answering.add(ONE);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked.at(-1)).toEqual({ urls: [ONE], ask: true });
    reach.stop();
  });
  it('sends no request unless it is meant to', async () => {
    const { reach, asked } = bench(new Set([ONE]), false);
    reach.watch([ONE]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.some((call) => call.ask)).toBe(false);
    await reach.check(ONE);
    expect(asked.at(-1)).toEqual({ urls: [ONE], ask: true });
    expect(reach.probes.get(ONE)?.server).toBe('Express');
    reach.stop();
  });
  it('asks no more once it is stopped, and knows nothing while the engine is gone', async () => {
    const { reach, asked, fail } = bench(new Set([ONE]));
    reach.watch([ONE]);
    await reach.now();
    expect(reach.of(ONE)).toBe('reachable');
    fail(true);
    await vi.advanceTimersByTimeAsync(2_100);
    expect(reach.of(ONE)).toBe('unknown');
    reach.stop();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.length).toBe(before);
  });
  it('offers no more ports than one call takes', () => {
    expect(new Set(DEV_PORTS).size).toBe(DEV_PORTS.length);
    expect(DEV_PORTS.length).toBeLessThanOrEqual(16);
  });
});
