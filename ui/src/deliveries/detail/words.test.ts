import { describe, expect, it } from 'vitest';
import type { Attempt, DeliveryDetail, DeliverySummary } from '../../host/types';
import { readDelivery, readDetail } from '../../store/read';
import { headerHint } from './hints';
import { nextStep } from './nextStep';
import { outcomeAgainst } from './outcome';
import { gap, timeline } from './timeline';
import { verdict } from './verdict';

function delivery(more: object): DeliverySummary {
  const row = readDelivery({
    id: 'a',
    seq: 1,
    status: 'dispatched',
    signature_status: 'valid',
    signature_reason: 'ok',
    method: 'POST',
    ...more,
  });
  if (!row) throw new Error('no row');
  return row;
}

const attempt = (more: object) =>
  ({
    id: 'x',
    n: 1,
    target_url: 'http://localhost:3000/app',
    outcome: 'succeeded',
    response_status: 200,
    duration_ms: 84,
    reason: null,
    created_at: '2026-01-01T00:00:00.000Z',
    started_at: '2026-01-01T00:00:00.002Z',
    ...more,
  }) as unknown as Attempt;

const refused = attempt({
  outcome: 'connect_failed',
  response_status: null,
  reason: 'nothing answers on localhost:3000 (connection refused)',
});

describe('verdict', () => {
  it('says what the app answered, and on which try', () => {
    const row = delivery({ status: 'failed', relay_attempt_count: 2 });
    const said = verdict(row, [attempt({}), attempt({ n: 2, outcome: 'http_error', response_status: 500 })], 'GitHub');
    expect(said.sentences.join(' ')).toBe(
      'Signature valid (GitHub). Your app answered 500 in 84 ms on the second try.',
    );
    expect(said.tone).toBe('bad');
  });
  it('tells several targets apart by their hosts', () => {
    const row = delivery({ relay_attempt_count: 2 });
    const said = verdict(row, [attempt({}), { ...refused, n: 2, target_url: 'http://localhost:4000/' }]);
    expect(said.sentences.slice(1)).toEqual([
      'localhost:3000 answered 200 in 84 ms.',
      'localhost:4000 could not be reached.',
    ]);
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

describe('nextStep', () => {
  it('says to start the app where nothing answers', () => {
    const row = delivery({ status: 'failed', relay_attempt_count: 1 });
    expect(nextStep(row, [refused])?.text).toBe('Nothing answers on localhost:3000. Start your app, then press r.');
  });
  it('leads to the endpoint where something is to be set there', () => {
    expect(nextStep(delivery({ reason: 'no_target' }), [])?.endpoint).toBe('Add target');
    expect(nextStep(delivery({ signature_reason: 'no_secret', relay_attempt_count: 1 }), [])?.endpoint).toBe(
      'Add secret',
    );
  });
  it('names the route that the app does not have', () => {
    const row = delivery({ status: 'failed', relay_attempt_count: 1, path: '/hooks' });
    expect(nextStep(row, [attempt({ outcome: 'http_error', response_status: 404 })])?.text).toContain('POST /hooks');
  });
  it('is silent when all is well', () => {
    expect(nextStep(delivery({ relay_attempt_count: 1 }), [attempt({})])).toBeNull();
    expect(nextStep(delivery({ status: 'queued' }), [])).toBeNull();
  });
});

describe('outcomeAgainst', () => {
  const good = delivery({ relay_attempt_count: 1, relay_status: 200, relay_outcome: 'succeeded' });
  const bad = delivery({ status: 'failed', relay_attempt_count: 1, relay_status: 500, relay_outcome: 'http_error' });
  it('measures a replay by the original', () => {
    expect(outcomeAgainst(bad, good).word).toBe('fixed');
    expect(outcomeAgainst(good, bad).word).toBe('regressed');
    expect(outcomeAgainst(bad, bad)).toMatchObject({ word: 'same', tone: 'bad' });
    expect(outcomeAgainst(good, good)).toMatchObject({ word: 'same', tone: 'good' });
    expect(outcomeAgainst(good, delivery({ status: 'queued' })).word).toBe('under way');
    expect(outcomeAgainst(delivery({ status: 'rejected' }), good).word).toBe('succeeded');
    expect(outcomeAgainst(good, delivery({})).word).toBe('no target');
  });
});

describe('timeline', () => {
  it('tells arrivals and attempts in the order of time', () => {
    const arrival = (n: number, at: string, more: object = {}) => ({
      n,
      received_at: at,
      remote_addr: '127.0.0.1:5',
      client_ip: null,
      public_url: null,
      tunnel: null,
      headers: [],
      signature_status: 'valid',
      body_size: 2,
      same_body: true,
      ...more,
    });
    const row: DeliveryDetail = readDetail({
      ...delivery({ response_status: 200, created_at: '2026-01-01T00:00:00.001Z' }),
      received_at: '2026-01-01T00:00:00.000Z',
      arrivals: [
        arrival(1, '2026-01-01T00:00:00.000Z'),
        arrival(2, '2026-01-01T00:00:05.000Z', {
          same_body: false,
          body_size: 3,
          public_url: 'https://new.example/in/ep_secret',
          tunnel: { provider: 'bore', name: 'bore', adds_headers: [] },
        }),
      ],
    });
    const moments = timeline(row, [attempt({ timings: { connect_ms: 1, first_byte_ms: 80, total_ms: 84 } })]);
    expect(moments.map(({ title, note }) => `${title}: ${note}`)).toEqual([
      'Arrived: 2 B, from 127.0.0.1:5',
      'Stored: the sender was told 200',
      'Sent to localhost:3000: answered 200 in 84 ms',
      'Arrived again (#2): other bytes, 3 bytes, from 127.0.0.1:5, through bore (new.example)',
    ]);
  });
  it('writes gaps short, however long they are', () => {
    expect(gap(5, 5)).toBe('at once');
    expect([gap(0, 84), gap(0, 7_500_000), gap(0, 200_000_000)]).toEqual(['+84 ms', '+2 h 5 min', '+2 d 8 h']);
  });
});

describe('headerHint', () => {
  const now = new Date('2023-11-14T22:14:20Z');
  it('reads times', () => {
    expect(headerHint('X-Timestamp', '1700000000', now)).toMatch(/2023.*1 min ago/);
    expect(headerHint('X-Timestamp', '1700000000000', now)).toMatch(/2023.*1 min ago/);
    expect(headerHint('Stripe-Signature', 't=1700000000,v1=abc', now)).toMatch(/2023/);
    expect(headerHint('Date', 'Tue, 14 Nov 2023 22:13:20 GMT', now)).toMatch(/1 min ago/);
    expect(headerHint('X-At', '2023-11-14T22:13:20Z', now)).toMatch(/1 min ago/);
  });
  it('leaves other values alone', () => {
    for (const value of ['1234567', '0000000001', 'May 5', '12', 'abc', '2023', '']) {
      expect(headerHint('X', value, now), value).toBeNull();
    }
    expect(headerHint('Content-Length', '2097152', now)).toBe('2.00 MiB');
  });
});
