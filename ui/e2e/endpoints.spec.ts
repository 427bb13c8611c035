import { expect, test } from './fixtures';

test('rotating masks the new URL, and the old one is gone', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Turning');
  await ui.go('Endpoints');
  await page.getByRole('button', { name: 'Reveal endpoint URL' }).click();
  await expect(page.getByTestId('secret-url')).toHaveText(endpoint.ingress_url);
  await page.getByRole('button', { name: 'Rotate URL' }).click();
  await page.getByRole('dialog', { name: 'Rotate the URL?' }).getByRole('button', { name: 'Rotate' }).click();
  await expect(page.getByTestId('secret-url')).toContainText('••••');
  expect((await fetch(endpoint.ingress_url, { method: 'POST', body: '{}' })).status).toBe(404);
  const now = await engine.api<{ token: string; ingress_url: string }>('GET', `/endpoints/${endpoint.id}`);
  expect(now.token).not.toBe(endpoint.token);
  expect(await ui.document()).not.toContain(now.token);
  expect((await fetch(now.ingress_url, { method: 'POST', body: '{}' })).status).toBe(200);
});

test('what the editor says is what the engine does', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Edited');
  await ui.go('Endpoints');
  await page.getByLabel('Name', { exact: true }).fill('Renamed');
  await page.getByLabel('URL of a new target').fill(app.url);
  await page.getByRole('button', { name: 'Add target' }).click();
  await page.getByRole('region', { name: 'Events' }).getByLabel('Event', { exact: true }).fill('order');
  await page.getByRole('region', { name: 'Events' }).getByRole('button', { name: 'Add filter' }).click();
  await page.getByRole('radio', { name: /^JSON only/ }).check();
  await page.getByRole('radio', { name: /^Fixed/ }).check();
  await page.getByRole('spinbutton', { name: 'Status' }).fill('202');
  await page.getByLabel('Headers', { exact: true }).fill('X-From: creel');
  await page.getByLabel('Body', { exact: true }).fill('thanks');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Endpoint saved.')).toBeVisible();
  await expect(page.getByText('Unsaved changes')).toBeHidden();
  expect(await engine.api('GET', `/endpoints/${endpoint.id}`)).toMatchObject({
    name: 'Renamed',
    body_policy: 'json',
    event_filters: [{ event: 'order' }],
    reply: { mode: 'fixed', status: 202, headers: [['X-From', 'creel']], body: 'thanks', delay_ms: 0 },
    targets: [{ url: app.url, enabled: true }],
  });
  const answer = await fetch(endpoint.ingress_url, { method: 'POST', body: '{"event":"order"}' });
  expect([answer.status, answer.headers.get('x-from'), await answer.text()]).toEqual([202, 'creel', 'thanks']);
  await fetch(endpoint.ingress_url, { method: 'POST', body: '{"event":"other"}' });
  await expect.poll(() => app.received.length).toBe(1);

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible();
  await fetch(endpoint.ingress_url, { method: 'POST', body: '{"event":"order"}' });
  await ui.go('Deliveries');
  await expect(ui.rows.first()).toContainText('Ignored');
  expect(app.received.length).toBe(1);
});

test('a refused value is named at its field, and nothing is changed', async ({ ui, engine, tolerated }) => {
  tolerated.patterns.push(/422/);
  const { page } = ui;
  const endpoint = await engine.endpoint('Strict');
  await ui.go('Endpoints');
  await page.getByLabel('URL of a new target').fill('http://192.0.2.1/');
  await page.getByRole('button', { name: 'Add target' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Targets' }).getByRole('alert')).toContainText(
    'Allow targets outside this machine',
  );
  expect(await engine.api('GET', `/endpoints/${endpoint.id}`)).toMatchObject({ targets: [] });
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByLabel('URL of target 1')).toBeHidden();
});

test('a change made elsewhere shows, and unsaved changes are not lost by going elsewhere', async ({ ui, engine }) => {
  const { page } = ui;
  const one = await engine.endpoint('First one');
  await engine.endpoint('Second one');
  await ui.go('Endpoints');
  await engine.api('PATCH', `/endpoints/${one.id}`, { name: 'First renamed' });
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('First renamed');
  await page.getByLabel('Name', { exact: true }).fill('Draft');
  await page.getByRole('button', { name: /^Second one/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Discard unsaved changes?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Draft');
  await page.getByRole('button', { name: /^Second one/ }).click();
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Second one');
});

test('deleting asks first, and takes the deliveries along', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Doomed');
  await engine.endpoint('Spared');
  await engine.send(endpoint, '{}');
  await ui.go('Endpoints');
  await page.getByRole('button', { name: /^Doomed/ }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete “Doomed”?' });
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete endpoint' }).click();
  await expect(page.getByRole('heading', { name: 'Spared' })).toBeVisible();
  await ui.go('Deliveries');
  await expect(page.getByRole('heading', { name: 'Waiting for the first delivery' })).toBeVisible();
});

test('settings are saved, and a wrong number is named', async ({ ui, engine }) => {
  const { page } = ui;
  await ui.go('Settings');
  await page.getByLabel('Deliveries', { exact: true }).fill('5000');
  await page.getByLabel('Age', { exact: true }).fill('soon');
  await expect(page.getByText('Enter a number of 0 or more.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  await page.getByLabel('Age', { exact: true }).fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Settings saved.')).toBeVisible();
  expect(await engine.api('GET', '/settings')).toMatchObject({ keep_rows: 5000, keep_days: 7 });
});
