import { describe, expect, it, vi } from 'vitest';
import type { Attempt, EndpointView } from '../host/types';
import { TargetStates } from './targets.svelte';

const URL_ONE = 'http://127.0.0.1:3000/';

function attempt(more: Partial<Attempt>): Attempt {
  return {
    id: 'a',
    delivery_id: 'd',
    n: 1,
    target_id: 't',
    target_url: URL_ONE,
    outcome: 'succeeded',
    created_at: '2026-01-01T00:00:00.000Z',
    finished_at: '2026-01-01T00:00:01.000Z',
    ...more,
  } as Attempt;
}

function endpoint(url = URL_ONE, enabled = true): EndpointView {
  return { id: 'e', targets: [{ id: 't', url, enabled, event_filters: [] }] } as unknown as EndpointView;
}

const silent = { call: vi.fn() };

describe('TargetStates', () => {
  it('keeps the newest outcome, in whatever order attempts are told', () => {
    const states = new TargetStates(silent);
    states.note(attempt({ id: 'new', outcome: 'connect_failed', finished_at: '2026-01-01T00:00:09.000Z' }));
    states.note(attempt({ id: 'old' }));
    states.note(attempt({ id: 'running', outcome: 'pending', finished_at: null }));
    states.show();
    expect(states.of(endpoint())[0]?.attempt?.id).toBe('new');
  });

  it('says nothing of a target that was changed, disabled, or never tried', () => {
    const states = new TargetStates(silent);
    states.note(attempt({}));
    states.note(attempt({ id: 'own URL', target_id: null }));
    states.note({ nonsense: true });
    states.show();
    expect(states.of(endpoint('http://127.0.0.1:4000/'))[0]?.attempt).toBeNull();
    expect(states.of(endpoint(URL_ONE, false))).toEqual([]);
    expect(states.of(endpoint())[0]?.attempt?.id).toBe('a');
  });

  it('learns from the newest delivery that was relayed', async () => {
    const rows = [
      { id: 'not relayed', seq: 3, relay_outcome: null },
      { id: 'relayed', seq: 2, relay_outcome: 'http_error' },
    ];
    const call = vi.fn((operation: string) =>
      Promise.resolve(
        operation === 'deliveries.list'
          ? { deliveries: rows, next_before: null, total: 2, total_is_minimum: false }
          : { attempts: [attempt({ outcome: 'http_error', response_status: 500 })] },
      ),
    );
    const states = new TargetStates({ call: call as never });
    await states.look('e');
    expect(call).toHaveBeenLastCalledWith('deliveries.attempts', { params: { id: 'relayed' } }, undefined);
    expect(states.of(endpoint())[0]?.attempt?.response_status).toBe(500);
  });
});
