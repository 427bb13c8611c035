import { describe, expect, it } from 'vitest';
import type { EndpointView } from '../host/types';
import { changes, draftOf, draftWith, indexOfField, parseFilter, parseHeaders } from './draft';

const endpoint = {
  name: 'a',
  provider: 'generic',
  scheme: null,
  enabled: true,
  targets: [{ id: 't', url: 'http://localhost:1', enabled: true, event_filters: [] }],
  allow_non_loopback: false,
  public_url_override: null,
  body_policy: 'any',
  signature_policy: 'enforce',
  duplicate_policy: 'collapse',
  event_filters: [],
  reply: { mode: 'passthrough', timeout_ms: 10_000 },
  token: 'ep_secret',
} as unknown as EndpointView;

describe('changes', () => {
  it('is empty for an untouched draft, whatever the order of its keys', () => {
    const draft = draftOf(endpoint);
    draft.reply = { timeout_ms: 10_000, mode: 'passthrough' };
    expect(changes(draft, draftOf(endpoint))).toEqual({});
  });
  it('sends only what differs', () => {
    const draft = draftOf(endpoint);
    draft.name = 'b';
    draft.reply = { mode: 'ack' };
    expect(changes(draft, draftOf(endpoint))).toEqual({ name: 'b', reply: { mode: 'ack' } });
  });
  it('sends the whole list of targets, and no id for a new one', () => {
    const draft = draftOf(endpoint);
    draft.targets.push({ id: '', url: 'http://localhost:2', enabled: true, event_filters: [] });
    expect(changes(draft, draftOf(endpoint)).targets).toEqual([
      { id: 't', url: 'http://localhost:1', enabled: true, event_filters: [] },
      { url: 'http://localhost:2', enabled: true, event_filters: [] },
    ]);
  });
  it('does not change what is saved', () => {
    const draft = draftOf(endpoint);
    draft.targets[0]!.url = 'http://localhost:9';
    expect(endpoint.targets[0]?.url).toBe('http://localhost:1');
  });
});

describe('draftWith', () => {
  it('puts back what was typed, on top of what is saved now', () => {
    const draft = draftOf(endpoint);
    draft.name = 'typed';
    draft.targets.push({ id: '', url: 'http://localhost:2', enabled: true, event_filters: [] });
    const pending = changes(draft, draftOf(endpoint));
    const later = { ...endpoint, enabled: false } as EndpointView;
    const again = draftWith(later, pending);
    expect([again.name, again.enabled]).toEqual(['typed', false]);
    expect(again.targets.map((target) => target.id)).toEqual(['t', '']);
    expect(changes(again, draftOf(later))).toEqual(pending);
    expect(changes(draftWith(endpoint, undefined), draftOf(endpoint))).toEqual({});
  });
});

describe('indexOfField', () => {
  it('finds the element that a message is about', () => {
    expect(indexOfField('targets[2].url', 'targets')).toBe(2);
    expect(indexOfField('targets', 'targets')).toBeNull();
    expect(indexOfField('event_filters[1]', 'targets')).toBeNull();
    expect(indexOfField(null, 'targets')).toBeNull();
  });
});

describe('parseFilter', () => {
  it('takes nothing for a filter that is blank', () => {
    expect(parseFilter('', 'opened')).toBeNull();
    expect(parseFilter('   ', '')).toBeNull();
  });
  it('splits actions at commas and drops blank ones', () => {
    expect(parseFilter(' push ', '')).toEqual({ event: 'push' });
    expect(parseFilter('issues', ' opened, ,closed,')).toEqual({ event: 'issues', actions: ['opened', 'closed'] });
  });
});

describe('parseHeaders', () => {
  it('keeps order, repeats and colons in values', () => {
    expect(parseHeaders('X-A: 1\n\nX-A:2\nWhen: 12:30')).toEqual({
      headers: [
        ['X-A', '1'],
        ['X-A', '2'],
        ['When', '12:30'],
      ],
    });
  });
  it('names the line that is no header', () => {
    expect(parseHeaders('X-A: 1\noops')).toEqual({ error: '“oops” is no header: write Name: value.' });
    expect('error' in parseHeaders(': x')).toBe(true);
  });
});
