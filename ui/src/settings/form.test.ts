import { describe, expect, it } from 'vitest';
import { parsed, shown } from './form';

const MIB = 1024 * 1024;

describe('settings', () => {
  it('shows and reads the same number', () => {
    for (const bytes of [0, MIB, 27_262_976, 5 * 1024 * MIB]) expect(parsed(shown(bytes, MIB), MIB)).toBe(bytes);
  });
  it('refuses what is no number of 0 or more', () => {
    for (const text of ['', '-1', 'abc', '1e3', '1,000', '0x10', '1.', '99999999999999999999'])
      expect(parsed(text, 1), text).toBeNull();
    expect(parsed(' 7 ', 1)).toBe(7);
  });
});
