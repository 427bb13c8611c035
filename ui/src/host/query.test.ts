import { describe, expect, it } from 'vitest';
import { setOnly } from './query';

describe('setOnly', () => {
  it('leaves out what narrows nothing and keeps zero and false', () => {
    expect(setOnly({ a: '', b: undefined, c: 0, d: false, e: 'x' })).toEqual({ c: 0, d: false, e: 'x' });
    expect(setOnly(undefined)).toEqual({});
  });
});
