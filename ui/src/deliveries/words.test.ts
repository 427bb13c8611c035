import { describe, expect, it } from 'vitest';
import type { Attempt } from '../host/types';
import { readDelivery } from '../store/read';
import { outcomeLook, relayLook, signatureLook, STATUS_WORDS, statusLook } from './states';
import { verdict } from './detail/verdict';

function delivery(more: object) {
  const row = readDelivery({
    id: 'a',
    seq: 1,
    status: 'dispatched',
    signature_status: 'valid',
    signature_reason: 'ok',
    ...more,
  });
  if (!row) throw new Error('no row');
  return row;
}

describe('looks', () => {
  it('gives every status of the contract its own glyph and word', () => {
    const looks = STATUS_WORDS.map(statusLook);
    expect(new Set(looks.map((look) => look.label)).size).toBe(6);
    expect(new Set(looks.map((look) => look.glyph)).size).toBe(6);
  });
  it('gives a word it does not know a generic look with the word itself', () => {
    expect(statusLook('beamed_up')).toMatchObject({ label: 'Beamed up', glyph: '◇' });
    expect(signatureLook('constructor').label).toBe('Constructor');
    expect(outcomeLook('').label).toBe('Unknown');
  });
  it('tells apart: answered, not answered, no target, not relayed', () => {
    expect(relayLook(delivery({ relay_outcome: 'succeeded', relay_status: 200, relay_duration_ms: 84 }))).toMatchObject(
      { label: '200', aside: '84 ms', tone: 'good' },
    );
    expect(relayLook(delivery({ relay_outcome: 'http_error', relay_status: 503 })).tone).toBe('bad');
    expect(relayLook(delivery({ relay_outcome: 'connect_failed' })).label).toBe('no connection');
    expect(relayLook(delivery({})).label).toBe('no target');
    expect(relayLook(delivery({ status: 'rejected' })).label).toBe('not relayed');
  });
});

describe('verdict', () => {
  const attempt = (more: object) =>
    ({ n: 1, outcome: 'succeeded', response_status: 200, duration_ms: 84, ...more }) as unknown as Attempt;
  it('says what the app answered, and on which attempt', () => {
    const row = delivery({ status: 'failed', relay_attempt_count: 2 });
    const said = verdict(row, [attempt({}), attempt({ n: 2, outcome: 'http_error', response_status: 500 })]);
    expect(said.sentences.join(' ')).toBe('The signature is valid. Your app answered 500 in 84 ms (attempt 2 of 2).');
    expect(said.tone).toBe('bad');
  });
  it('says why a delivery was rejected, and that it was not relayed', () => {
    const row = delivery({ status: 'rejected', signature_status: 'invalid', signature_reason: 'wrong_secret_or_body' });
    const said = verdict(row, []);
    expect(said.sentences.join(' ')).toMatch(/invalid.*another secret or over other bytes.*not relayed/);
  });
  it('does not claim a signature that nobody checked', () => {
    expect(
      verdict(delivery({ signature_status: 'not_required', signature_reason: 'no_secret' }), []).sentences[0],
    ).toMatch(/Not verified/);
  });
  it('does not claim to know what is in doubt', () => {
    const row = delivery({ status: 'interrupted', relay_attempt_count: 1 });
    expect(verdict(row, [attempt({ outcome: 'in_doubt', response_status: null })]).sentences[1]).toMatch(/not known/);
  });
  it('counts the repeats', () => {
    expect(verdict(delivery({ attempt_count: 3 }), []).sentences.at(-1)).toMatch(/2 times more/);
  });
});
