import { beforeEach, describe, expect, it } from 'vitest';
import { Appearance } from './appearance.svelte';

let root: HTMLElement;
const storage = window.localStorage;

beforeEach(() => {
  storage.clear();
  root = document.createElement('html');
});

describe('Appearance', () => {
  it('follows the system, cozy and at 100 % until the user chooses', () => {
    const look = new Appearance(root, storage);
    expect([look.theme, look.density, look.zoom, look.zone]).toEqual(['system', 'cozy', 100, 'local']);
    expect(root.dataset).toMatchObject({ theme: 'system', density: 'cozy' });
    expect(storage.length).toBe(0);
  });

  it('remembers every choice', () => {
    const look = new Appearance(root, storage);
    look.theme = 'dark';
    look.density = 'compact';
    look.zone = 'utc';
    look.zoomIn();
    const next = document.createElement('html');
    const again = new Appearance(next, storage);
    expect([again.theme, again.density, again.zoom, again.zone]).toEqual(['dark', 'compact', 110, 'utc']);
    expect(next.dataset.theme).toBe('dark');
    expect(next.style.fontSize).toBe('110%');
  });

  it('zooms in steps from 75 to 200 % and back', () => {
    const look = new Appearance(root, storage);
    for (let n = 0; n < 20; n += 1) look.zoomIn();
    expect(look.zoom).toBe(200);
    for (let n = 0; n < 20; n += 1) look.zoomOut();
    expect(look.zoom).toBe(75);
    look.zoomReset();
    expect(look.zoom).toBe(100);
    expect(root.style.fontSize).toBe('');
  });

  it('starts plainly on anything else in the storage, and without any', () => {
    for (const stored of ['', 'x', 'null', '7', '[]', '{"theme":"<b>","density":1,"zoom":1e9,"zone":null}']) {
      storage.setItem('creel.appearance', stored);
      const look = new Appearance(root, storage);
      expect([look.theme, look.density, look.zoom, look.zone], stored).toEqual(['system', 'cozy', 100, 'local']);
    }
    const look = new Appearance(root, null);
    look.theme = 'light';
    expect(look.theme).toBe('light');
  });

  it('tells times in the chosen zone', () => {
    const look = new Appearance(root, storage);
    look.zone = 'utc';
    const now = new Date('2026-03-04T12:00:00.000Z');
    expect(look.shortTime('2026-03-04T01:02:03.004Z', now)).toBe('01:02:03');
    expect(look.shortTime('2026-03-03T23:59:03.004Z', now)).toBe('3 Mar 23:59');
    expect(look.shortTime('2025-03-04T01:02:03.004Z', now)).toBe('4 Mar 01:02');
    expect(look.fullTime('2026-03-04T01:02:03.004Z')).toContain('01:02:03.004 UTC');
  });
});
