import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';

test('the overlay shows every key there is, and gives the focus back', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Keys');
  await engine.send(endpoint, '{"event":"one"}');
  await ui.go('Settings');
  await page.getByRole('button', { name: 'Diagnostics bundle' }).focus();
  await page.keyboard.press('?');
  const overlay = page.getByRole('dialog', { name: 'Keyboard' });
  await expect(overlay.getByRole('region', { name: 'View' })).toContainText('Zoom in');
  await expect(overlay.getByRole('region', { name: 'Go to' })).toContainText('Ctrl+,');
  await expect(overlay.getByRole('region', { name: 'Help' })).toContainText('Ctrl+K');
  await page.keyboard.press('Escape');
  await expect(overlay).toBeHidden();
  await expect(page.getByRole('button', { name: 'Diagnostics bundle' })).toBeFocused();
});

test('the list of keys is whole from the first moment, and is what the parts register', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Keys');
  await engine.send(endpoint, '{"event":"one"}');
  const shown = (root: Locator) =>
    root.locator('dl > div').evaluateAll((lines) => lines.map((line) => line.textContent?.replace(/\s+/g, ' ').trim()));
  await page.goto(`${engine.link}`);
  await ui.live();
  await ui.go('Settings');
  await page.reload();
  await ui.live();
  const settings = await shown(page.getByRole('region', { name: 'Keyboard' }));
  await ui.go('Deliveries');
  await ui.rows.first().click();
  await expect(ui.detail.getByRole('tab', { name: 'Overview' })).toBeVisible();
  await page.getByRole('button', { name: 'Pause list' }).focus();
  await page.keyboard.press('?');
  const there = await shown(page.getByRole('dialog', { name: 'Keyboard' }));
  await page.keyboard.press('Escape');
  await ui.go('Endpoints');
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeVisible();
  await page.getByRole('button', { name: 'Pause list' }).focus();
  await page.keyboard.press('?');
  const elsewhere = await shown(page.getByRole('dialog', { name: 'Keyboard' }));
  const plain = (line = '') => line.replace(', not on this screen', '');
  expect(settings.length).toBeGreaterThan(30);
  expect(there.map(plain)).toEqual(settings.map(plain));
  expect(elsewhere.map(plain)).toEqual(settings.map(plain));
  // Each key is registered by the screen that it is said to be of.
  const never = settings.filter((_, at) => there[at] !== plain(there[at]) && elsewhere[at] !== plain(elsewhere[at]));
  expect(never).toEqual([]);
});

test('the palette finds and runs commands, screens and endpoints', async ({ ui, engine }) => {
  const { page } = ui;
  await engine.endpoint('Shop');
  const other = await engine.endpoint('Payments');
  await engine.send(other, '{"event":"invoice.paid"}');
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  const search = palette.getByRole('combobox', { name: 'Command palette' });

  await page.keyboard.press('Control+k');
  await expect(search).toBeFocused();
  await expect(palette.getByRole('option', { name: /Go to Settings/ })).toContainText('Ctrl+,');
  await page.keyboard.type('settings');
  await page.keyboard.press('Enter');
  await expect(palette).toBeHidden();
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible();
  await expect(page.getByRole('main')).toBeFocused();

  await page.getByRole('button', { name: 'Command palette' }).click();
  await page.keyboard.type('paym');
  await expect(palette.getByRole('option')).toHaveCount(3);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Payments');

  await page.keyboard.press('Control+k');
  await page.keyboard.type('deliveries of shop');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Endpoint: Shop', exact: true })).toBeVisible();
  expect(await ui.document()).not.toContain(other.token);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('no such thing');
  await expect(palette).toContainText('No command is called that.');
  await page.keyboard.press('Control+k');
  await expect(palette).toBeHidden();
});

test('chords work while typing, letters do not', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Typing');
  await engine.send(endpoint, '{"event":"one"}');
  const search = page.getByRole('combobox', { name: 'Filter deliveries' });
  await search.click();
  await page.keyboard.type('g?r');
  await expect(search).toHaveValue('g?r');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('Control+,');
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible();
});

test('zoom goes in steps, also over a dialog, and is remembered', async ({ ui }) => {
  const { page } = ui;
  const size = () => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
  expect(await size()).toBe('16px');
  await page.keyboard.press('Control+Equal');
  await page.keyboard.press('?');
  await page.keyboard.press('Control++');
  expect(await size()).toBe('20px');
  await page.keyboard.press('Escape');
  await page.reload();
  await ui.live();
  expect(await size()).toBe('20px');
  await page.keyboard.press('Control+Minus');
  expect(parseFloat(await size())).toBeCloseTo(17.6);
  await page.keyboard.press('Control+0');
  expect(await size()).toBe('16px');
});

test('landmarks, the skip link and the order of focus lead through the window', async ({ ui, engine }) => {
  const { page } = ui;
  await engine.endpoint('One');
  // The first run begins in its first field; every other screen begins at the top.
  await ui.go('Refusals');
  await page.reload();
  await ui.live();
  await expect(page.getByRole('button', { name: 'Copy ingress URL of One' })).toBeVisible();
  for (const landmark of ['banner', 'main', 'contentinfo'] as const) {
    await expect(page.getByRole(landmark)).toHaveCount(1);
  }
  await expect(page.getByRole('navigation', { name: 'Screens' })).toHaveCount(1);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Skip to the content' })).toBeFocused();
  await expect(page.getByRole('button', { name: 'Skip to the content' })).toBeInViewport();
  const order = [];
  for (let n = 0; n < 7; n += 1) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')));
  }
  const bar = ['Local only. Start tunnel', 'Copy ingress URL of One'];
  expect(order).toEqual(['Deliveries', 'Endpoints', 'Tunnel', 'Refusals', 'Settings', ...bar]);
  for (let n = 0; n < 7; n += 1) await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await expect(page).toHaveTitle('Refusals · Creel');
});

test('what moves holds still for those who asked for it', async ({ ui }) => {
  const { page } = ui;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const longest = await page.evaluate(() => {
    const seconds = [...document.querySelectorAll('*')].flatMap((element) => {
      const { transitionDuration, animationDuration } = getComputedStyle(element);
      return `${transitionDuration},${animationDuration}`.split(',').map((part) => parseFloat(part));
    });
    return Math.max(...seconds);
  });
  expect(longest).toBeLessThan(0.001);
});
