import { describe, expect, it } from 'vitest';
import { FILTER_TEXT_MAX, filterFromQuery, filterToQuery, isFiltered, matches, NO_FILTER, sameFilter } from './filter';
import { readDelivery } from './read';

describe('matches', () => {
  const delivery = readDelivery({
    id: 'x1',
    seq: 1,
    endpoint_id: 'e',
    provider: 'github',
    status: 'failed',
    signature_status: 'valid',
    event: 'github.Push',
    path: '/Hooks',
  });
  if (!delivery) throw new Error('no row');
  it('needs every part of the filter', () => {
    expect(matches(NO_FILTER, delivery)).toBe(true);
    expect(matches({ ...NO_FILTER, endpoint_id: 'e', status: 'failed', provider: 'github', q: 'push' }, delivery)).toBe(
      true,
    );
    for (const part of [{ status: 'queued' }, { endpoint_id: 'f' }, { event: 'github.push' }, { provider: 'stripe' }])
      expect(matches({ ...NO_FILTER, ...part }, delivery)).toBe(false);
  });
  it('searches event, path, key and id without regard to case', () => {
    for (const q of ['PUSH', '/hooks', 'X1']) expect(matches({ ...NO_FILTER, q }, delivery), q).toBe(true);
    expect(matches({ ...NO_FILTER, q: 'nothing' }, delivery)).toBe(false);
  });
});

describe('the filter of an address', () => {
  it('comes back as it was written, whatever is in it', () => {
    const filter = { ...NO_FILTER, status: 'failed', event: 'a&b=c', q: '?#/token=x ü%' };
    expect(sameFilter(filterFromQuery(filterToQuery(filter)), filter)).toBe(true);
    expect(filterToQuery(filter)).not.toContain('token=');
    expect(filterToQuery(NO_FILTER)).toBe('');
  });
  it('takes nothing that it does not know, and nothing too long', () => {
    expect(isFiltered(filterFromQuery('token=secret&x=1'))).toBe(false);
    expect(filterFromQuery(`q=${'a'.repeat(5_000)}`).q).toHaveLength(FILTER_TEXT_MAX);
  });
});
