import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures';

type Settings = { keep_rows: number; keep_days: number };

test('retention stands beside what is there, and is changed on Save alone', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Kept');
  for (const n of [1, 2]) await engine.send(endpoint, `{"n":${n}}`);
  await ui.go('Settings');
  const kept = page.getByRole('region', { name: 'What is kept' });
  await expect(kept).toContainText('now 2');
  await expect(kept).toContainText(/now [\d.]+ [KM]iB/);
  const rows = kept.getByLabel('Deliveries', { exact: true });
  const days = kept.getByLabel('Age', { exact: true });
  const unsaved = page.getByRole('group', { name: 'Unsaved changes' });
  await expect(unsaved).toBeHidden();

  await rows.fill('many');
  await expect(kept).toContainText('Enter a number of 0 or more.');
  await expect(unsaved.getByRole('button', { name: 'Save' })).toBeDisabled();
  await rows.fill('5000');
  await days.fill('7');
  await expect(unsaved).toContainText('2 changes are not saved');
  expect((await engine.api<Settings>('GET', '/settings')).keep_rows).toBe(100_000);
  await unsaved.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Settings saved.')).toBeVisible();
  expect(await engine.api<Settings>('GET', '/settings')).toMatchObject({ keep_rows: 5000, keep_days: 7 });
  await days.fill('9');
  await unsaved.getByRole('button', { name: 'Discard' }).click();
  await expect(days).toHaveValue('7');
});

test('theme, rows and zone of times are chosen, applied and remembered', async ({ ui, engine }) => {
  const { page } = ui;
  await fetch(`${engine.run.ingress_url}/in/nobody`, { method: 'POST' });
  await ui.go('Settings');
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const appearance = page.getByRole('region', { name: 'Appearance' });
  await appearance.getByText('Light', { exact: true }).click();
  const light = await background();
  await appearance.getByText('Dark', { exact: true }).click();
  const dark = await background();
  expect(dark).not.toBe(light);
  await expect(appearance.getByRole('radio', { name: 'Dark' })).toBeChecked();
  const row = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--row-height'));
  expect(await row()).toBe('30px');
  await appearance.getByText('Compact', { exact: true }).click();
  expect(await row()).toBe('24px');
  await appearance.getByText('UTC', { exact: true }).click();
  await expect(appearance).toContainText(/\d UTC/);

  await page.reload();
  await ui.live();
  expect(await background()).toBe(dark);
  expect(await row()).toBe('24px');
  await expect(appearance.getByRole('radio', { name: 'UTC' })).toBeChecked();
});

test.describe('far from UTC', () => {
  test.use({ timezoneId: 'Pacific/Kiritimati' });

  test('times follow the chosen zone', async ({ ui, engine }) => {
    const { page } = ui;
    await fetch(`${engine.run.ingress_url}/in/nobody`, { method: 'POST' });
    await ui.go('Refusals');
    const time = page.getByRole('table').getByRole('row').nth(1).getByRole('cell').first();
    await expect(time).toHaveAttribute('title', /GMT\+14|\+14/);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('times');
    await page.keyboard.press('Enter');
    await expect(time).toHaveAttribute('title', /UTC$/);
  });
});

test('the diagnostics bundle is read before it is saved, and holds no secret', async ({ ui, engine, app }) => {
  const { page } = ui;
  const secret = 'canary-signing-secret-4711';
  const endpoint = await engine.endpoint('Canary Limited', {
    provider: 'github',
    targets: [{ url: `${app.url}/canary-path?key=canary-key` }],
    event_filters: [{ event: 'canary.event' }],
    reply: { mode: 'fixed', status: 200, headers: [['X-Key', 'canary-header']], body: 'canary-body', delay_ms: 0 },
  });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  await engine.send(endpoint, '{"canary":true}', { 'X-GitHub-Event': 'push' });
  await ui.go('Settings');
  await page.getByRole('button', { name: 'Diagnostics bundle' }).click();
  const dialog = page.getByRole('dialog', { name: 'Diagnostics bundle' });
  const shown = await dialog.getByTestId('diagnostics').textContent();
  const download = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save file' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^creel-diagnostics-[\dT-]+\.json$/);
  const saved = readFileSync(await file.path(), 'utf8');
  expect(saved).toBe(shown);
  for (const canary of ['canary', secret.slice(-4), endpoint.token, endpoint.id, engine.run.admin_token, engine.dir]) {
    expect(saved.toLowerCase()).not.toContain(canary.toLowerCase());
  }
  expect(JSON.parse(saved)).toMatchObject({
    stats: { deliveries: 1, dropped: 0 },
    settings: { keep_rows: 100_000 },
    endpoints: [{ provider: 'github', signing_secrets: 1, targets: [{ where: 'this machine', has_query: true }] }],
  });
  await expect(dialog).toBeHidden();
});
