import { describe, expect, it } from 'vitest';
import { readDelivery } from '../store/read';
import { outcomeLook, relayLook, signatureLook, STATUS_WORDS, statusLook } from './states';

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
    expect(relayLook(delivery({ relay_outcome: 'connect_failed' })).label).toBe('down');
    expect(relayLook(delivery({})).label).toBe('no target');
    expect(relayLook(delivery({ status: 'rejected' })).label).toBe('not relayed');
  });
});
