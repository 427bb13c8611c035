import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../host/types';
import { actionLabel, pairs, skewText, span } from './explained';

describe('span', () => {
  it('says the two largest units', () => {
    expect([0, 1, 61, 300, 7_200, 90_061, 86_405, -90].map(span)).toEqual([
      'no time',
      '1 second',
      '1 minute 1 second',
      '5 minutes',
      '2 hours',
      '1 day 1 hour',
      '1 day',
      '1 minute 30 seconds',
    ]);
  });
});

describe('skewText', () => {
  it('says before or after, and what is allowed', () => {
    expect(skewText(7_200, 300)).toBe('2 hours before it arrived; 5 minutes are allowed');
    expect(skewText(-60, null)).toBe('1 minute after it arrived, by this machine’s clock; any age is accepted');
    expect(skewText(0, 300)).toContain('at the second');
    expect(skewText(null, 300)).toBeNull();
  });
});

describe('pairs', () => {
  it('keeps all of both, the shorter one beside the longer', () => {
    const [received, expected] = ['sha256=0123456789', 'sha256=01'];
    const made = pairs(received, expected);
    expect(made.map((pair) => pair.received).join('')).toBe(received);
    expect(made.map((pair) => pair.expected).join('')).toBe(expected);
    expect(made).toHaveLength(3);
  });
});

describe('actionLabel', () => {
  it('names what the button does, and nothing where there is none', () => {
    const finding = (code: string, action: Finding['action']): Finding => ({
      code,
      action,
      confidence: 'certain',
      explanation: '',
      fix: '',
    });
    const name = () => 'Stripe';
    expect(actionLabel(finding('secret_quoted', { kind: 'correct_secret', secret_index: 0 }), name)).toBe(
      'Remove the quotes',
    );
    expect(actionLabel(finding('wrong_provider', { kind: 'set_provider', provider: 'stripe' }), name)).toBe(
      'Switch to Stripe…',
    );
    expect(actionLabel(finding('wrong_secret', null), name)).toBeNull();
  });
});
