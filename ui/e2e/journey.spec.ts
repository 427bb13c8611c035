import { expect, test } from './fixtures';

test('endpoint, post, live row, every tab, replay, second row', async ({ ui, engine, app }) => {
  const { page } = ui;
  expect(page.url(), 'the token leaves the address bar').not.toContain('token');
  await expect(page.getByRole('heading', { name: 'No endpoint yet' })).toBeVisible();

  await ui.go('Endpoints');
  await page.getByRole('button', { name: 'New endpoint' }).click();
  const dialog = page.getByRole('dialog', { name: 'New endpoint' });
  await dialog.getByLabel('Name').fill('Payments');
  await dialog.getByLabel('Your app').fill(app.url);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Payments' })).toBeVisible();

  const { endpoints } = await engine.api<{
    endpoints: { id: string; token: string; ingress_url: string; name: string }[];
  }>('GET', '/endpoints');
  const endpoint = endpoints[0];
  if (!endpoint) throw new Error('no endpoint');
  expect(await ui.document(), 'the URL is masked').not.toContain(endpoint.token);

  await ui.go('Deliveries');
  await expect(page.getByRole('heading', { name: 'Waiting for the first delivery' })).toBeVisible();
  await expect(page.getByTestId('curl')).toContainText('••••');

  app.status = 500;
  app.body = '{"error":"kaboom"}';
  const body = '{"event":"order.paid","amount":1.0,"id":9007199254740993}';
  await engine.send(endpoint, body, { 'X-Custom': 'one' }, '/hooks?from=test');
  const row = ui.row('order.paid');
  await expect(row).toContainText('/hooks?from=test');
  await expect(row).toContainText('Failed');
  await expect(row).toContainText('500');
  await expect(page.getByTestId('total')).toHaveText('1 delivery');

  await row.click();
  await expect(page.getByTestId('verdict')).toContainText('Your app answered 500');
  await ui.tab('Body');
  await expect(page.getByTestId('body-text')).toContainText('"id": 9007199254740993');
  await ui.panel.getByRole('radiogroup').getByText('Raw', { exact: true }).click();
  await expect(page.getByTestId('body-text')).toHaveText(body);
  await ui.tab('Headers');
  await expect(ui.panel.getByRole('row', { name: /x-custom/i })).toContainText('one');
  await ui.tab('Signature');
  await expect(ui.panel).toContainText('No signing secret is set');
  await ui.tab('Arrivals');
  await expect(ui.panel).toContainText('Received ×1');
  await ui.tab('Attempts');
  await expect(ui.panel.getByRole('article')).toContainText('HTTP error');
  await ui.panel.getByRole('button', { name: /Your app’s headers/ }).click();
  await expect(ui.panel.getByRole('row', { name: /x-app/i })).toContainText('yes');
  await ui.panel.getByRole('button', { name: /Your app’s body/ }).click();
  await expect(page.getByTestId('body-text')).toHaveText('{"error":"kaboom"}');
  await ui.tab('Response');
  await expect(ui.panel).toContainText('The sender was told 200');
  await expect(ui.panel).toContainText('"status":"accepted"');

  app.status = 204;
  app.body = '';
  await ui.detail.getByRole('button', { name: 'Replay' }).dblclick();
  await expect(ui.rows).toHaveCount(2);
  await expect(ui.rows.first()).toContainText('204');
  await expect(page.getByTestId('total')).toHaveText('2 deliveries');
  await ui.rows.first().click();
  await ui.tab('Overview');
  await expect(ui.panel).toContainText('A replay: its signature is not checked. Your app answered 204');
  expect(app.received).toHaveLength(2);
  expect(app.received[1]?.body.toString()).toBe(body);
  expect(app.received[1]?.url).toBe('/app/hooks?from=test');
});

test('a repeat of a delivery is counted on its row, without a second one', async ({ ui, engine, app }) => {
  const endpoint = await engine.endpoint('Dup', { provider: 'github', targets: [{ url: app.url }] });
  const headers = { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'd-1' };
  await engine.send(endpoint, '{"n":1}', headers);
  await expect(ui.row('github.push').getByTitle('Received 1 time')).toHaveCount(1);
  await engine.send(endpoint, '{"n":2}', headers);
  await expect(ui.row('github.push')).toContainText('×2');
  await expect(ui.rows).toHaveCount(1);
  await ui.rows.first().click();
  await expect(ui.page.getByTestId('verdict')).toContainText('once more');
  await ui.tab('Arrivals');
  await expect(ui.panel).toContainText('Same key, different body');
  await ui.panel.getByRole('button', { name: 'Body', exact: true }).click();
  await expect(ui.page.getByTestId('body-text')).toContainText('"n": 2');
});

test('a body that is no text is shown in hex, and an empty one as empty', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Binary');
  await engine.send(endpoint, new Uint8Array([0xff, 0x00, 0x41, 0x0a]), { 'X-Event-Type': 'binary' });
  await ui.row('binary').click();
  await ui.tab('Body');
  await expect(ui.page.getByTestId('body-hex')).toContainText('ff 00 41 0a');
  await engine.send(endpoint, '', { 'X-Event-Type': 'nothing' });
  await ui.row('nothing').click();
  await expect(ui.panel).toContainText('0 bytes');
});

test('a large body is shown in windows and says so; the download has every byte', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Large');
  const body = `{"event":"large","text":"${'x'.repeat(3 * 1024 * 1024)}"}`;
  await engine.send(endpoint, body);
  await ui.row('large').click();
  await ui.tab('Body');
  await expect(ui.panel).toContainText(
    `${body.length.toLocaleString('en-US')} bytes Larger than 2.00 MiB: shown line by line from the engine.`,
  );
  const waiting = ui.page.waitForEvent('download');
  await ui.panel.getByRole('button', { name: 'Download' }).click();
  const download = await waiting;
  const pieces: Buffer[] = [];
  for await (const piece of await download.createReadStream()) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).toString()).toBe(body);
});
