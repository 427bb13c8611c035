import { describe, expect, it } from 'vitest';
import { MASK, maskTokens, maskUrl } from './mask';

const token = 'ep_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';

describe('maskUrl', () => {
  it('masks the token alone', () => {
    expect(maskUrl(`http://127.0.0.1:4100/in/${token}`)).toBe(`http://127.0.0.1:4100/in/${MASK}`);
  });
  it('works on a relative path', () => {
    expect(maskUrl(`/in/${token}`)).toBe(`/in/${MASK}`);
  });
  it('has a fixed width, so that the length of the token does not show', () => {
    expect(maskUrl('/in/short')).toBe(maskUrl(`/in/${token}`));
  });
  it('masks everything when there is no last segment', () => {
    for (const url of ['http://127.0.0.1:4100', 'http://127.0.0.1:4100/in/', token, ''])
      expect(maskUrl(url)).toBe(MASK);
  });
  it('keeps a query, and masks the segment before it', () => {
    expect(maskUrl(`https://x.example/in/${token}?a=/b`)).toBe(`https://x.example/in/${MASK}?a=/b`);
  });
});

describe('maskTokens', () => {
  const token = `ep_${'a1B2-_'.repeat(7)}x`;
  it('masks a token wherever it stands, and leaves what follows', () => {
    const masked = maskTokens(`GET https://x.example/in/${token}/a/b?c=d and /in/${token}`);
    expect(masked).toBe(`GET https://x.example/in/${MASK}/a/b?c=d and /in/${MASK}`);
  });
  it('leaves words that only look a little like one', () => {
    for (const text of ['step_1', 'ep_short', 'deep_learning_model', '']) expect(maskTokens(text)).toBe(text);
  });
});
