import { describe, expect, it } from 'vitest';
import { givenParameters } from './query';

describe('givenParameters', () => {
  it('leaves out what narrows nothing and keeps zero and false', () => {
    expect(givenParameters({ a: '', b: undefined, c: 0, d: false, e: 'x' })).toEqual({ c: 0, d: false, e: 'x' });
    expect(givenParameters(undefined)).toEqual({});
  });
});
