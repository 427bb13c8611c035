import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import Reference from './Reference.svelte';
import Tick from './Tick.svelte';

const href = 'https://docs.example.com/webhooks';

describe('Reference', () => {
  it('is a link that tells the other page nothing, where pages open', () => {
    render(Reference, { href, label: 'Docs', opens: true, copy: () => Promise.resolve() });
    const link = screen.getByRole('link', { name: /^Docs/ });
    expect([link.getAttribute('href'), link.getAttribute('rel')]).toEqual([href, 'noopener noreferrer']);
  });
  it('is an address to copy where the window opens no other page', async () => {
    const copy = vi.fn(() => Promise.resolve());
    render(Reference, { href, label: 'Docs', opens: false, copy });
    expect(screen.queryByRole('link')).toBeNull();
    await fireEvent.click(screen.getByRole('button', { name: 'Copy address of Docs' }));
    expect(copy).toHaveBeenCalledWith(href);
  });
});

describe('Tick', () => {
  it('says in words where its step stands', () => {
    render(Tick, { number: 2, state: 'done', said: 'The URL was copied' });
    expect(screen.getByRole('status').textContent).toBe('The URL was copied');
  });
});
