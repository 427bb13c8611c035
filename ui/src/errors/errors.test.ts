import { describe, expect, it } from 'vitest';
import { classify } from './classify';
import { asFailure, Failure, failureFromBody } from './failure';

describe('failureFromBody', () => {
  const inner = { code: 'relay_loop', message: 'That is Creel itself.', help: 'Use another port.', field: 'targets' };
  it('reads the API’s form, its inside, and either as text', () => {
    for (const body of [{ error: inner }, inner, JSON.stringify({ error: inner }), JSON.stringify(inner)]) {
      const failure = failureFromBody(body);
      expect(failure).toMatchObject(inner);
    }
  });
  it('does not take anything else for one', () => {
    for (const body of [null, undefined, 42, '', 'boom', {}, { error: null }, { error: { message: 'x' } }, []]) {
      expect(failureFromBody(body), JSON.stringify(body)).toBeNull();
    }
  });
});

describe('asFailure', () => {
  it('keeps the code of an abort, so that nobody is told', () => {
    expect(asFailure(new DOMException('x', 'AbortError')).code).toBe('aborted');
  });
  it('keeps the words of anything else', () => {
    expect(asFailure(new TypeError('boom'))).toMatchObject({ code: 'unexpected', message: 'boom' });
    expect(asFailure('boom')).toMatchObject({ code: 'unexpected', message: 'boom' });
  });
});

describe('classify', () => {
  it('has words and an action of its own where something depends on the code', () => {
    expect(classify(new Failure('unreachable', 'x')).action).toBe('reconnect');
    expect(classify(new Failure('not_replayable', 'Its signature is invalid.'))).toEqual({
      title: 'This delivery was rejected',
      detail: 'Its signature is invalid.',
      action: 'force',
    });
  });
  it('shows the engine’s own words for a code it does not know', () => {
    expect(classify(new Failure('brand_new', 'The moon is full.', 'Wait a day.'))).toEqual({
      title: 'The moon is full.',
      detail: 'Wait a day.',
      action: 'retry',
    });
  });
});
