import { beforeEach, describe, expect, it } from 'vitest';
import { FirstRun } from './firstRun.svelte';

beforeEach(() => localStorage.clear());

describe('FirstRun', () => {
  it('is open until it is dismissed, also after a reload', () => {
    new FirstRun(localStorage).open();
    const again = new FirstRun(localStorage);
    expect(again.stage).toBe('open');
    again.dismiss();
    again.open();
    expect(new FirstRun(localStorage).stage).toBe('done');
    again.reopen();
    expect(new FirstRun(localStorage).stage).toBe('open');
  });
  it('makes the first endpoint once', () => {
    expect(new FirstRun(localStorage).takeFirstEndpoint()).toBe(true);
    expect(new FirstRun(localStorage).takeFirstEndpoint()).toBe(false);
  });
  it('takes a word that it does not know for a new start', () => {
    localStorage.setItem('creel.first-run', 'odd');
    expect(new FirstRun(localStorage).stage).toBe('new');
  });
});
