import { describe, expect, it } from 'vitest';
import type { Attempt } from '../host/types';
import type { TargetState } from '../store/targets.svelte';
import { hostOf, targetLook, worst } from './targets';

function state(outcome: string | null, more: Partial<Attempt> = {}): TargetState {
  const attempt = outcome === null ? null : ({ outcome, duration_ms: 84, response_status: null, ...more } as Attempt);
  return { target: { id: 't', url: 'http://127.0.0.1:3000/', enabled: true, event_filters: [] }, attempt };
}

describe('targetLook', () => {
  it('says what the target did, with the time it took', () => {
    expect(targetLook(state('succeeded', { response_status: 204 }))).toMatchObject({
      label: 'reachable',
      aside: '84 ms',
      tone: 'good',
    });
    expect(targetLook(state('http_error', { response_status: 404 }))).toMatchObject({
      label: 'answers 404',
      tone: 'warn',
    });
    expect(targetLook(state('http_error', { response_status: 500 }))).toMatchObject({
      label: 'answers 500',
      tone: 'bad',
    });
    expect(targetLook(state('connect_failed', { reason: 'nothing answers (connection refused)' })).label).toBe(
      'refused',
    );
    expect(targetLook(state('connect_failed', { reason: 'no address' })).label).toBe('unreachable');
    expect(targetLook(state('held')).label).toBe('held');
  });
  it('knows nothing of a target that was not tried, and of a word from a newer engine', () => {
    expect(targetLook(state(null)).label).toBe('not tried yet');
    expect(targetLook(state('teleported')).label).toBe('not tried yet');
  });
});

describe('worst', () => {
  it('shows the one that needs a look most', () => {
    const down = state('connect_failed');
    expect(worst([state('succeeded'), down, state('http_error', { response_status: 404 })])?.state).toBe(down);
    expect(worst([])).toBeNull();
  });
});

describe('hostOf', () => {
  it('never shows a credential', () => {
    expect(hostOf('http://user:canary@127.0.0.1:3000/a?key=canary')).toBe('127.0.0.1:3000');
    expect(hostOf('canary')).toBe('target');
  });
});
