import { signature, type Endpoint } from './engine';
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
  await expect(page.getByRole('group', { name: 'Unsaved changes' })).toBeHidden();
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

  await page.getByRole('button', { name: 'Pause', exact: true }).click();
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

test('a change made elsewhere shows, and unsaved changes survive going elsewhere', async ({ ui, engine }) => {
  const { page } = ui;
  const one = await engine.endpoint('First one');
  await engine.endpoint('Second one');
  await ui.go('Endpoints');
  await engine.api('PATCH', `/endpoints/${one.id}`, { name: 'First renamed' });
  const name = page.getByLabel('Name', { exact: true });
  await expect(name).toHaveValue('First renamed');
  await name.fill('Draft');
  await page.getByLabel('URL of a new target').fill('3999/hooks');
  await page.getByRole('button', { name: 'Add target' }).click();

  await page.getByRole('button', { name: /^Second one/ }).click();
  await expect(name).toHaveValue('Second one');
  await expect(page.getByRole('group', { name: 'Unsaved changes' })).toBeHidden();
  await expect(page.getByRole('button', { name: /^First renamed/ })).toContainText('Unsaved');
  await ui.go('Deliveries');
  await ui.go('Endpoints');
  await page.getByRole('button', { name: /^First renamed/ }).click();
  await expect(name).toHaveValue('Draft');
  await expect(page.getByLabel('URL of target 1')).toHaveValue('http://localhost:3999/hooks');
  await page.keyboard.press('Control+s');
  await expect(page.getByText('Endpoint saved.')).toBeVisible();
  expect(await engine.api('GET', `/endpoints/${one.id}`)).toMatchObject({
    name: 'Draft',
    targets: [{ url: 'http://localhost:3999/hooks' }],
  });
  await name.fill('Never kept');
  await page.getByRole('button', { name: 'Discard' }).click();
  await expect(name).toHaveValue('Draft');
});

test('deleting asks first, names what is lost, and takes the deliveries along', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Doomed');
  await engine.endpoint('Spared');
  await engine.send(endpoint, '{}');
  await engine.send(endpoint, '{"again":true}');
  await ui.go('Endpoints');
  await page.getByRole('button', { name: /^Doomed/ }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete “Doomed”?' });
  await expect(dialog).toContainText('2 deliveries are removed');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete endpoint' }).click();
  await expect(page.getByRole('heading', { name: 'Spared' })).toBeVisible();
  await ui.go('Deliveries');
  await expect(page.getByRole('heading', { name: 'Waiting for the first delivery' })).toBeVisible();
});

test('an endpoint is made with its secret, and what is odd about the secret is said', async ({ ui, engine, app }) => {
  const { page } = ui;
  await ui.go('Endpoints');
  await page.getByRole('button', { name: 'New endpoint' }).click();
  const dialog = page.getByRole('dialog', { name: 'New endpoint' });
  await dialog.getByLabel('Name').fill('Repository');
  await dialog.getByLabel('Provider').selectOption('github');
  await dialog.getByLabel('Your app').fill('not an app');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByRole('alert')).toContainText('neither a port nor a URL');
  await dialog.getByLabel('Your app').fill(app.url);
  await expect(dialog.getByText('Reachable')).toBeVisible();
  await dialog.getByLabel('Signing secret').fill('"a secret that is long enough"');
  await expect(dialog.getByText('It stands in quotes')).toBeVisible();
  await dialog.getByRole('button', { name: 'Remove the quotes' }).click();
  await expect(dialog.getByText('It stands in quotes')).toBeHidden();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Repository' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Signing secret' })).toContainText('••••ough');
  expect(await ui.document()).not.toContain('a secret that is long enough');

  const { endpoints } = await engine.api<{ endpoints: Endpoint[] }>('GET', '/endpoints');
  const made = endpoints[0];
  if (!made) throw new Error('no endpoint');
  const signed = signature('a secret that is long enough', '{"zen":1}');
  expect((await engine.send(made, '{"zen":1}', { 'X-GitHub-Event': 'ping', ...signed })).status).toBe(200);
  expect((await engine.send(made, '{"zen":2}', { 'X-GitHub-Event': 'ping', ...signed })).status).toBe(401);
  await engine.quiet();
  const figures = page.getByRole('definition');
  await expect(figures.nth(0)).toHaveText('2');
  await expect(figures.nth(2), 'the invalid one is counted as it comes').toHaveText('1');
});

test('a test event and a probe say what happened, and the delivery is one click away', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Tried', { targets: [{ url: app.url }] });
  await ui.go('Endpoints');
  const state = page.getByRole('status', { name: 'State of target 1' });
  await expect(state).toContainText('Reachable');
  await page.getByRole('button', { name: 'Test target 1' }).click();
  await expect(state).toContainText('HTTP 200');
  await page.getByLabel('Event of the test').selectOption('order.paid');
  await page.getByRole('button', { name: 'Send test event' }).click();
  await expect(page.getByText('order.paid sent')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Tried/ })).toContainText('1 delivery');
  expect(app.received.filter((got) => got.body.toString().includes('"order.paid"'))).toHaveLength(1);
  await app.stop();
  await expect(state).toContainText('Nothing answers yet');
  await page.getByRole('link', { name: 'Open the delivery' }).click();
  await expect(ui.row('order.paid')).toBeVisible();
  await expect(ui.detail).toContainText('order.paid');
  expect(await engine.api('GET', `/deliveries?endpoint_id=${endpoint.id}`)).toMatchObject({ total: 1 });
});

test('a secret is rotated without a gap', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Rotating', { provider: 'github' });
  await ui.go('Endpoints');
  const secrets = page.getByRole('region', { name: 'Signing secret' });
  await secrets.getByLabel('New signing secret').fill('the first secret 0001');
  await secrets.getByRole('button', { name: 'Save secret' }).click();
  await expect(secrets.getByRole('listitem')).toHaveCount(1);
  await secrets.getByLabel('New signing secret').fill('the second secret 0002');
  await secrets.getByRole('button', { name: 'Add as second' }).click();
  await expect(secrets.getByRole('listitem')).toHaveCount(2);
  await expect(secrets).toContainText('Both are accepted');
  const post = (secret: string) => engine.send(endpoint, '{}', signature(secret, '{}')).then((answer) => answer.status);
  expect([await post('the first secret 0001'), await post('the second secret 0002')]).toEqual([200, 200]);
  await secrets.getByRole('button', { name: 'Remove secret 1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(secrets.getByRole('listitem')).toHaveCount(1);
  expect([await post('the first secret 0001'), await post('the second secret 0002')]).toEqual([401, 200]);
});

test('settings are saved, and a wrong number is named', async ({ ui, engine }) => {
  const { page } = ui;
  await ui.go('Settings');
  await page.getByRole('textbox', { name: 'Deliveries' }).fill('5000');
  await page.getByLabel('Age', { exact: true }).fill('soon');
  await expect(page.getByText('Enter a number of 0 or more.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save' })).toBeDisabled();
  await page.getByLabel('Age', { exact: true }).fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Settings saved.')).toBeVisible();
  expect(await engine.api('GET', '/settings')).toMatchObject({ keep_rows: 5000, keep_days: 7 });
});
