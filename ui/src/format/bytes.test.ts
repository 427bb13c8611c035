import { describe, expect, it } from 'vitest';
import { hexLines, utf8, utf8Prefix } from './bytes';

const encode = (text: string) => new TextEncoder().encode(text);

describe('utf8', () => {
  it('keeps a byte order mark', () => {
    expect(utf8(encode('\ufeff{}'))).toBe('\ufeff{}');
  });
  it('takes one wrong byte for a reason to show hex', () => {
    expect(utf8(new Uint8Array([0x7b, 0xff, 0x7d]))).toBeNull();
    expect(utf8(new Uint8Array([0xc0, 0x80]))).toBeNull();
    expect(utf8(new Uint8Array([0xed, 0xa0, 0x80]))).toBeNull();
  });
});

describe('utf8Prefix', () => {
  it('never cuts a character', () => {
    const bytes = encode('aé漢🎣z');
    for (let limit = 0; limit <= bytes.length; limit += 1) {
      const end = utf8Prefix(bytes, limit);
      expect(end).toBeLessThanOrEqual(limit);
      expect(limit - end).toBeLessThan(4);
      expect(utf8(bytes.subarray(0, end)), `limit ${limit}`).not.toBeNull();
    }
  });
});

describe('hexLines', () => {
  it('shows offset, bytes and printable characters', () => {
    const lines = hexLines(encode('0123456789abcdef\u0000z'));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toEqual({
      offset: '00000000',
      hex: '30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66',
      ascii: '0123456789abcdef',
    });
    expect(lines[1]?.offset).toBe('00000010');
    expect(lines[1]?.hex.trimEnd()).toBe('00 7a');
    expect(lines[1]?.ascii).toBe('·z');
  });
});
