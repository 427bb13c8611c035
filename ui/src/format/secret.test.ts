import { describe, expect, it } from 'vitest';
import { freshSecret, secretFindings } from './secret';

const github = { slug: 'github', name: 'GitHub' };
const codes = (text: string, provider = github) => secretFindings(text, provider).map((finding) => finding.code);
const fixed = (text: string) => secretFindings(text, github)[0]?.fixed;

describe('secretFindings', () => {
  it('has nothing to say about a good secret, or about none', () => {
    expect(codes('')).toEqual([]);
    expect(codes('0123456789abcdef')).toEqual([]);
    expect(codes(freshSecret())).toEqual([]);
  });
  it('names what was pasted along with it, and what was probably meant', () => {
    expect(codes(' 0123456789abcdef\n')).toEqual(['white_space']);
    expect(fixed(' 0123456789abcdef\n')).toBe('0123456789abcdef');
    expect(fixed('"0123456789abcdef"')).toBe('0123456789abcdef');
    expect(fixed("WEBHOOK_SECRET='0123456789abcdef'")).toBe('0123456789abcdef');
    expect(fixed('export SECRET=0123456789abcdef')).toBe('0123456789abcdef');
    expect(codes('https://example.com/hooks')).toEqual(['url']);
  });
  it('counts bytes, not characters, and says that a short one is easy to guess', () => {
    expect(codes('short')).toEqual(['short']);
    expect(codes('ääääääää')).toEqual([]);
  });
  it('knows a secret that belongs to another provider', () => {
    expect(codes('whsec_0123456789abcdef')).toEqual(['whsec']);
    expect(codes('whsec_0123456789abcdef', { slug: 'stripe', name: 'Stripe' })).toEqual([]);
  });
});

describe('freshSecret', () => {
  it('is 64 hex digits, and never the same twice', () => {
    expect(freshSecret()).toMatch(/^[0-9a-f]{64}$/);
    expect(freshSecret()).not.toBe(freshSecret());
  });
});
