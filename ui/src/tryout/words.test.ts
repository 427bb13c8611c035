import { describe, expect, it } from 'vitest';
import type { SentTestEvent, TargetProbe } from '../host/types';
import { describeProbe, describeSent, nameApp } from './words';

const probe = (part: Partial<TargetProbe>): TargetProbe => ({
  url: 'http://localhost:3000',
  reachable: false,
  reason: null,
  http_status: null,
  server: null,
  connected_ms: null,
  ...part,
});
const sent = (part: Partial<SentTestEvent>): SentTestEvent => ({
  event: 'order.created',
  signed: true,
  delivery_id: 'd',
  response_status: 200,
  response_word: 'accepted',
  reason: null,
  duration_ms: 5,
  ...part,
});

describe('describeProbe', () => {
  it('tells apart what answers, what does not yet, and what is never dialled', () => {
    const label = (reason: string) => describeProbe(probe({ reason })).label;
    expect(describeProbe(undefined).label).toBe('Looking');
    expect(describeProbe(probe({ reachable: true }))).toMatchObject({ tone: 'good', label: 'Reachable' });
    expect(label('nothing answers on localhost:3000 (connection refused)')).toBe('Nothing answers yet');
    expect(label('no connection within 300 ms')).toBe('Nothing answers yet');
    expect(label('localhost:4100 is Creel itself: each delivery would come back')).toBe('That is Creel itself');
    expect(label('10.0.0.1:80 is 10.0.0.1, which is not a loopback address of this machine')).toBe(
      'Not on this machine',
    );
    expect(label('the target’s URL cannot be read')).toBe('Not usable');
  });
});

describe('nameApp', () => {
  it('prefers the software’s name, then the status', () => {
    expect(nameApp(probe({ reachable: true, server: 'Express', http_status: 404 }))).toBe('Express');
    expect(nameApp(probe({ reachable: true, http_status: 404 }))).toBe('HTTP 404');
    expect(nameApp(probe({ reachable: true }))).toBe('');
    expect(nameApp(probe({ server: 'x' }))).toBe('');
  });
});

describe('describeSent', () => {
  it('says what became of it', () => {
    expect(describeSent(sent({})).tone).toBe('good');
    expect(describeSent(sent({ response_word: 'skipped' })).text).toContain('no target');
    expect(describeSent(sent({ response_word: 'rejected', response_status: 401 })).tone).toBe('bad');
    expect(describeSent(sent({ response_word: null, response_status: 202 })).text).toBe(
      'Stored. The sender was told 202.',
    );
    expect(describeSent(sent({ response_word: null, response_status: 429, delivery_id: null })).tone).toBe('bad');
    expect(describeSent(sent({ response_status: null, response_word: null, reason: 'no answer within 15 s' }))).toEqual(
      { tone: 'warn', text: 'Stored. The sender would still be waiting: no answer within 15 s.' },
    );
    expect(describeSent(sent({ response_status: null, delivery_id: null, reason: 'gone' })).tone).toBe('bad');
  });
});
