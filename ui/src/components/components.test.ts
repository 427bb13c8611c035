import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import CopyButton from './CopyButton.svelte';
import HeaderTable from './HeaderTable.svelte';
import Menu from './Menu.svelte';
import SecretUrl from './SecretUrl.svelte';
import Tabs from './Tabs.svelte';
import VisibleText from './VisibleText.svelte';
import { createRawSnippet } from 'svelte';

const token = 'ep_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
const url = `http://127.0.0.1:4100/in/${token}`;
const done = () => Promise.resolve();

describe('SecretUrl', () => {
  it('keeps the token out of the document until it is revealed, and hides it again', async () => {
    const { container } = render(SecretUrl, { url, label: 'endpoint URL', copy: done });
    expect(container.innerHTML).not.toContain(token);
    await fireEvent.click(screen.getByRole('button', { name: 'Reveal endpoint URL' }));
    expect(container.textContent).toContain(token);
    await fireEvent.click(screen.getByRole('button', { name: 'Hide endpoint URL' }));
    expect(container.innerHTML).not.toContain(token);
  });
  it('copies the whole URL while it is masked', async () => {
    const copy = vi.fn(done);
    const { container } = render(SecretUrl, { url, label: 'endpoint URL', copy });
    await fireEvent.click(screen.getByRole('button', { name: 'Copy endpoint URL' }));
    expect(copy).toHaveBeenCalledWith(url);
    expect(container.innerHTML).not.toContain(token);
  });
  it('comes back masked when the URL changes', async () => {
    const { container, rerender } = render(SecretUrl, { url, label: 'endpoint URL', copy: done });
    await fireEvent.click(screen.getByRole('button', { name: 'Reveal endpoint URL' }));
    const rotated = url.replace('0123', '9999');
    await rerender({ url: rotated });
    expect(container.innerHTML).not.toContain('9999');
    expect(container.innerHTML).not.toContain(token);
  });
  it('renders further actions', () => {
    const extra = createRawSnippet(() => ({ render: () => '<button>More</button>' }));
    render(SecretUrl, { url, label: 'endpoint URL', copy: done, extra });
    expect(screen.getByRole('button', { name: 'More' })).toBeTruthy();
  });
});

describe('CopyButton', () => {
  it('says when it could not copy', async () => {
    render(CopyButton, { what: 'body', copy: () => Promise.reject(new Error('no')) });
    await fireEvent.click(screen.getByRole('button', { name: 'Copy body' }));
    await tick();
    expect((await screen.findByText('Could not copy')).textContent).toBe('Could not copy');
  });
});

describe('VisibleText', () => {
  it('shows markup as text', () => {
    const { container } = render(VisibleText, { text: '<img src=x onerror=alert(1)><script>x</script>' });
    expect(container.querySelector('img, script')).toBeNull();
    expect(container.textContent).toBe('<img src=x onerror=alert(1)><script>x</script>');
  });
});

describe('HeaderTable', () => {
  it('keeps order and repeats', () => {
    render(HeaderTable, {
      headers: [
        ['B', '1'],
        ['a', ''],
        ['b', '2'],
      ],
      label: 'Headers',
      copy: done,
    });
    const names = screen.getAllByRole('rowheader').map((cell) => cell.textContent?.trim());
    expect(names).toEqual(['B ×2', 'a', 'b ×2']);
    expect(screen.getByText('empty')).toBeTruthy();
  });
});

describe('Tabs', () => {
  it('moves by arrow keys and wraps around', async () => {
    const onselect = vi.fn();
    const panel = createRawSnippet(() => ({ render: () => '<p>panel</p>' }));
    const tabs = [
      { id: 'a', label: 'A' },
      { id: 'b', label: 'B' },
    ];
    render(Tabs, { tabs, active: 'a', label: 'Parts', onselect, panel });
    await fireEvent.keyDown(screen.getByRole('tab', { name: 'A' }), { key: 'ArrowLeft' });
    expect(onselect).toHaveBeenCalledWith('b');
    expect(screen.getByRole('tab', { name: 'A' }).getAttribute('aria-selected')).toBe('true');
  });
});

describe('Menu', () => {
  it('opens, moves by arrows, runs one and gives the focus back', async () => {
    const first = vi.fn();
    const second = vi.fn();
    render(Menu, {
      label: 'More',
      items: [
        { id: 'a', label: 'A', run: first },
        { id: 'b', label: 'B', run: second },
      ],
      children: createRawSnippet(() => ({ render: () => '<span>…</span>' })),
    });
    const button = screen.getByRole('button', { name: 'More' });
    button.focus();
    await fireEvent.keyDown(button, { key: 'Enter' });
    await waitFor(() => expect(document.activeElement?.textContent).toContain('A'));
    await fireEvent.keyDown(document.activeElement as Element, { key: 'ArrowUp' });
    await waitFor(() => expect(document.activeElement?.textContent).toContain('B'));
    await fireEvent.keyDown(document.activeElement as Element, { key: 'Enter' });
    expect(second).toHaveBeenCalledOnce();
    expect(first).not.toHaveBeenCalled();
    await waitFor(() => expect(screen.queryByRole('menu')).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(button));
    await fireEvent.keyDown(button, { key: 'Enter' });
    await fireEvent.keyDown(await screen.findByRole('menu'), { key: 'Escape' });
    await waitFor(() => expect(screen.queryByRole('menu')).toBeNull());
  });
});
