import { describe, expect, it } from 'vitest';
import { matches, NO_FILTER } from './filter';
import { mergeRows, newerThan } from './order';
import { deletedId, readCollection, readDelivery, readDeliveryList, readDetail } from './read';

const row = (seq: number, more: object = {}) => ({ id: `d${seq}`, seq, ...more });

describe('mergeRows', () => {
  it('gives the same list in whatever order and how often rows come', () => {
    const all = [5, 4, 3, 2, 1].map((seq) => row(seq));
    expect(mergeRows(mergeRows([], [row(2), row(5), row(1)]), [row(4), row(3), row(5), row(5)])).toEqual(all);
    expect(mergeRows(all, all)).toEqual(all);
  });
  it('replaces a row by id, in its place', () => {
    const rows = [row(3), row(2), row(1)];
    expect(mergeRows(rows, [row(2, { status: 'failed' })])).toEqual([row(3), row(2, { status: 'failed' }), row(1)]);
    expect(rows).toEqual([row(3), row(2), row(1)]);
  });
  it('takes the last of two rows with one id', () => {
    expect(mergeRows([], [row(1, { status: 'queued' }), row(1, { status: 'failed' })])).toEqual([
      row(1, { status: 'failed' }),
    ]);
  });
});

describe('newerThan', () => {
  it('counts the rows above', () => {
    const rows = [9, 7, 4, 2].map((seq) => row(seq));
    expect([10, 9, 8, 7, 3, 0].map((seq) => newerThan(rows, seq))).toEqual([0, 0, 1, 1, 3, 4]);
  });
});

describe('reading', () => {
  it('keeps a row whose words it does not know', () => {
    const read = readDelivery({
      id: 'a',
      seq: 1,
      status: 'teleported',
      signature_status: 'odd',
      relay_outcome: 'beamed',
      later: 1,
    });
    expect(read).toMatchObject({
      id: 'a',
      seq: 1,
      status: 'teleported',
      signature_status: 'odd',
      relay_outcome: 'beamed',
    });
  });
  it('fills what is absent or of the wrong kind', () => {
    expect(readDelivery({ id: 'a', seq: 1, event: 7, attempt_count: 'many' })).toMatchObject({
      event: '',
      attempt_count: 1,
      path: '',
    });
  });
  it('makes no row of what has no id or no place', () => {
    for (const value of [null, 1, 'a', [], {}, { id: 'a' }, { seq: 1 }, { id: 1, seq: 1 }])
      expect(readDelivery(value)).toBeNull();
  });
  it('does not show a malformed list as an empty one', () => {
    for (const value of [null, [], {}, { deliveries: null }]) expect(() => readDeliveryList(value)).toThrow(/form/);
    expect(() => readCollection({ endpoints: 1 }, 'endpoints')).toThrow(/form/);
    expect(readDeliveryList({ deliveries: [{ id: 'a', seq: 1 }, null] }).deliveries).toHaveLength(1);
  });
  it('gives every tab something true of a detail with missing parts', () => {
    expect(readDetail({ id: 'a', seq: 1 })).toMatchObject({
      headers: [],
      arrivals: [],
      body_inlined: false,
      response_headers: null,
    });
  });
  it('knows a deletion when it sees one', () => {
    expect(deletedId({ id: 'a', deleted: true })).toBe('a');
    expect(deletedId({ id: 'a', seq: 1 })).toBeNull();
  });
});

describe('matches', () => {
  const delivery = readDelivery({
    id: 'x1',
    seq: 1,
    endpoint_id: 'e',
    status: 'failed',
    signature_status: 'valid',
    event: 'github.Push',
    path: '/Hooks',
  });
  if (!delivery) throw new Error('no row');
  it('needs every part of the filter', () => {
    expect(matches(NO_FILTER, delivery)).toBe(true);
    expect(matches({ endpoint_id: 'e', status: 'failed', signature_status: 'valid', q: 'push' }, delivery)).toBe(true);
    expect(matches({ ...NO_FILTER, status: 'queued' }, delivery)).toBe(false);
    expect(matches({ ...NO_FILTER, endpoint_id: 'f' }, delivery)).toBe(false);
  });
  it('searches event, path, key and id without regard to case', () => {
    for (const q of ['PUSH', '/hooks', 'X1']) expect(matches({ ...NO_FILTER, q }, delivery), q).toBe(true);
    expect(matches({ ...NO_FILTER, q: 'nothing' }, delivery)).toBe(false);
  });
});
