import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import BytesView from './BytesView.svelte';
import CopyButton from './CopyButton.svelte';
import HeaderTable from './HeaderTable.svelte';
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

describe('BytesView', () => {
  const view = (bytes: Uint8Array, copy = vi.fn(done)) => ({
    copy,
    ...render(BytesView, { bytes: bytes.buffer as ArrayBuffer, what: 'body', copy, onsave: () => undefined }),
  });
  it('shows text exactly, over all its blocks', () => {
    const text = Array.from({ length: 2_000 }, (_, n) => `line ${n} \t  <b>`).join('\n');
    view(new TextEncoder().encode(text));
    const blocks = [...screen.getByTestId('body-text').querySelectorAll('.block')].map((block) => block.textContent);
    expect(blocks.length).toBeGreaterThan(1);
    expect(blocks.join('\n')).toBe(text);
  });
  it('copies what was received, not what is shown', async () => {
    const { copy } = view(new TextEncoder().encode('a\u202eb\r\n'));
    await fireEvent.click(screen.getByRole('button', { name: 'Copy' }));
    expect(copy).toHaveBeenCalledWith('a\u202eb\r\n');
  });
  it('shows bytes that are no UTF-8 in hex', () => {
    view(new Uint8Array([0xff, 0x00, 0x41]));
    expect(screen.getByTestId('body-hex').textContent).toContain('ff 00 41');
    expect(screen.queryByRole('button', { name: 'Copy' })).toBeNull();
  });
  it('says how much of a large body it shows', () => {
    const { container } = view(new Uint8Array(1024 * 1024 + 5).fill(0x61));
    expect(container.textContent).toContain('Showing the first 1,048,576 bytes of 1,048,581 bytes');
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
