import { describe, expect, it } from 'vitest';
import { deletedId, readCollection, readDelivery, readDeliveryList, readDetail } from './read';

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
