import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import FilterEditor from './FilterEditor.svelte';

describe('FilterEditor', () => {
  it('names what can be done, and adds nothing that is blank', async () => {
    render(FilterEditor, { filters: [], error: null });
    const add = screen.getByRole<HTMLButtonElement>('button', { name: 'Add filter' });
    expect(add.disabled).toBe(true);
    await fireEvent.input(screen.getByLabelText('Event'), { target: { value: '   ' } });
    expect(add.disabled).toBe(true);
  });
  it('commits a parsed row with Enter, and removes it again', async () => {
    render(FilterEditor, { filters: [], error: null });
    await fireEvent.input(screen.getByLabelText('Event'), { target: { value: 'issues' } });
    await fireEvent.input(screen.getByLabelText('Actions, separated by commas'), {
      target: { value: 'opened, closed' },
    });
    await fireEvent.keyDown(screen.getByLabelText('Event'), { key: 'Enter' });
    expect(screen.getByText('opened, closed')).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>('Event').value).toBe('');
    await fireEvent.click(screen.getByRole('button', { name: 'Remove filter issues' }));
    expect(screen.queryByText('opened, closed')).toBeNull();
  });
});
