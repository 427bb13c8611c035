import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ToastStore } from './toasts.svelte';

describe('notices', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const texts = (store: ToastStore) => store.list.map(({ text }) => text);

  it('a newer success takes the place of the older one, and goes by itself', () => {
    const store = new ToastStore();
    store.good('Saved.');
    store.good('Sent.');
    expect(texts(store)).toEqual(['Sent.']);
    vi.runAllTimers();
    expect(store.list).toEqual([]);
  });
  it('a failure stays until it is dismissed, once however often it happens', () => {
    const store = new ToastStore();
    store.bad('Not sent', 'why');
    store.good('Saved.');
    store.bad('Not sent', 'why');
    vi.runAllTimers();
    expect(texts(store)).toEqual(['Not sent']);
    store.dismiss(store.list[0]?.id ?? 0);
    expect(store.list).toEqual([]);
  });
});
