import { describe, expect, it } from 'vitest';
import { parseRoute } from './route.svelte';

describe('parseRoute', () => {
  it('reads screen and thing', () => {
    expect(parseRoute('#/endpoints/abc')).toEqual({ screen: 'endpoints', id: 'abc' });
    expect(parseRoute('#/deliveries')).toEqual({ screen: 'deliveries', id: null });
  });
  it('takes anything else for the first screen', () => {
    for (const hash of ['', '#', '#token=x', '#/nowhere/1'])
      expect(parseRoute(hash)).toEqual({ screen: 'deliveries', id: null });
  });
});
