import { createHmac } from 'node:crypto';
import { signature } from './engine';
import { expect, test } from './fixtures';

const secret = 'correct-horse-battery-staple';

test('a wrong signature is rejected with its reason, and replayed only after a confirmation', async ({
  ui,
  engine,
  app,
}) => {
  const endpoint = await engine.endpoint('Signed', { provider: 'github', targets: [{ url: app.url }] });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  const body = '{"ref":"main"}';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  await expect(ui.row('github.push')).toContainText('Valid');

  const { status } = await engine.send(endpoint, body, { 'X-GitHub-Event': 'ping', ...signature('another', body) });
  expect(status).toBe(401);
  const row = ui.row('github.ping');
  await expect(row).toContainText('Invalid');
  await expect(row).toContainText('Rejected');
  await row.click();
  await expect(ui.page.getByTestId('verdict')).toContainText('made with another secret or over other bytes');
  await ui.tab('Signature');
  await expect(ui.panel).toContainText(signature('another', body)['X-Hub-Signature-256'] ?? '');
  await expect(ui.panel).toContainText('X-Hub-Signature-256', { ignoreCase: true });

  const received = app.received.length;
  await ui.detail.getByRole('button', { name: 'Replay' }).click();
  const dialog = ui.page.getByRole('dialog', { name: 'Relay a rejected delivery?' });
  await expect(dialog).toContainText('signature does not match');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  expect(app.received.length).toBe(received);
  await ui.detail.getByRole('button', { name: 'Replay' }).click();
  await dialog.getByRole('button', { name: 'Replay anyway' }).click();
  await expect(ui.row('github.ping')).toHaveCount(2);
  await expect.poll(() => app.received.length).toBe(received + 1);
});

test('a missing signature says so', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Unsigned', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  await engine.send(endpoint, '{}', { 'X-GitHub-Event': 'push' });
  await expect(ui.row('github.push')).toContainText('Missing');
  await ui.row('github.push').click();
  await expect(ui.page.getByTestId('verdict')).toContainText('absent');
});

test('a secret goes in and never comes out', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Vault', { provider: 'github' });
  await ui.go('Endpoints');
  const input = page.getByLabel('New signing secret');
  await input.fill(secret);
  expect(await page.locator(`[value*="${secret}"]`).count(), 'not in an attribute even while typed').toBe(0);
  await page.getByRole('button', { name: 'Save secret' }).click();
  await expect(page.getByText('••••••••aple')).toBeVisible();
  await expect(input).toHaveValue('');
  expect(await ui.document()).not.toContain(secret);

  await input.fill('tiny-9x ');
  await expect(page.getByText('never trimmed')).toBeVisible();
  await page.getByRole('button', { name: 'Add as second' }).click();
  await expect(page.getByText('too short for a hint')).toBeVisible();
  await expect(page.getByText(/shorter than 16 bytes/)).toBeVisible();
  expect(await ui.document()).not.toContain('tiny-9x ');

  const body = '{"a":1}';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  await ui.go('Deliveries');
  await ui.row('github.push').click();
  for (const tab of ['Overview', 'Body', 'Headers', 'Signature', 'Arrivals', 'Attempts', 'Response']) {
    await ui.tab(tab);
    expect(await ui.document(), tab).not.toContain(secret);
    expect(await ui.document(), tab).not.toContain(endpoint.token);
  }
});

test('stored deliveries are judged again after a secret was added', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Later', { provider: 'github' });
  const body = '{"a":1}';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  await expect(ui.row('github.push')).toContainText('Unchecked');
  await ui.go('Endpoints');
  await ui.page.getByLabel('New signing secret').fill(secret);
  await ui.page.getByRole('button', { name: 'Save secret' }).click();
  await expect(ui.page.getByText('Stored deliveries are judged again with it.')).toBeVisible();
  await ui.go('Deliveries');
  await expect(ui.row('github.push')).toContainText('Valid');
});

test('a mistake that breaks the signature is named with its fix', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Mistaken', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: `${secret}\n` });
  const body = '{"ref":"main"}';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  await ui.row('github.push').click();
  await ui.tab('Signature');
  const { deliveries } = await engine.api<{ deliveries: { id: string }[] }>('GET', '/deliveries');
  type Findings = { findings: { code: string; explanation: string; fix: string }[] };
  const { findings } = await engine.api<Findings>('GET', `/deliveries/${deliveries[0]?.id}/signature`);
  expect(findings[0]).toMatchObject({ code: 'secret_whitespace' });
  await expect(ui.panel).toContainText(findings[0]?.explanation ?? '');
  await expect(ui.panel).toContainText(findings[0]?.fix ?? '');
});

test('traffic that looks like a provider’s is said to, and nothing is switched', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Unknown');
  await engine.send(endpoint, '{"type":"invoice.paid"}', { 'Stripe-Signature': `t=1700000000,v1=${'ab'.repeat(32)}` });
  await ui.row('invoice.paid').click();
  await ui.tab('Signature');
  await expect(ui.panel).toContainText('This looks like Stripe');
  await ui.panel.getByRole('button', { name: 'Switch provider…' }).click();
  const dialog = ui.page.getByRole('dialog', { name: 'Switch to Stripe?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await ui.panel.getByRole('button', { name: 'Switch provider…' }).click();
  const before = await engine.api<{ provider: string }>('GET', `/endpoints/${endpoint.id}`);
  expect(before.provider).toBe('generic');
  await dialog.getByRole('button', { name: 'Switch provider' }).click();
  await expect(dialog).toBeHidden();
  await expect(ui.panel).toContainText('Stripe');
  await expect(ui.panel.getByRole('button', { name: 'Switch provider…' })).toBeHidden();
});

test('where signatures differ is marked, and what is signed is shown with what cannot be seen', async ({
  ui,
  engine,
}) => {
  const endpoint = await engine.endpoint('Differing', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  const body = '{"a":1}  \r\n\t\u200b';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature('another', body) });
  await ui.row('github.push').click();
  await ui.tab('Signature');
  const compared = ui.panel.getByRole('region', { name: 'Received and expected signature' });
  await expect(compared).toContainText(/they differ from character \d+ on/);
  await expect(compared).toContainText(signature('another', body)['X-Hub-Signature-256'] ?? '');
  await expect(compared).toContainText(signature(secret, body)['X-Hub-Signature-256'] ?? '');
  const signed = ui.panel.getByRole('region', { name: 'What is signed' });
  await expect(signed).toContainText('15 bytes');
  for (const mark of ['··', 'CRLF', 'HT', 'U+200B']) await expect(signed).toContainText(mark);
  await expect(ui.panel.getByRole('region', { name: 'Cause', exact: true })).toContainText('another secret');
});

test('a header that is absent is named, with the one that is there instead', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Nearly', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  await engine.send(endpoint, '{}', { 'X-GitHub-Event': 'push', 'X-Hub-Signature': 'sha1=00' });
  await ui.row('github.push').click();
  await ui.tab('Signature');
  await expect(ui.panel).toContainText('puts its signature into');
  await expect(ui.panel).toContainText('X-Hub-Signature');
  await expect(ui.panel).toContainText('is there instead');
});

test('a secret is tried without being kept, and kept when asked to', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Trying', { provider: 'github' });
  const body = '{"ref":"main"}';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  await ui.row('github.push').click();
  await ui.tab('Signature');
  const field = ui.panel.getByLabel('Secret to try');
  await expect(field).toHaveAttribute('type', 'password');
  await field.fill('a wrong guess, long enough');
  await field.press('Enter');
  await expect(ui.panel).toContainText('Would not verify');
  await field.fill(secret);
  await expect(ui.panel, 'a verdict is about what was tried').not.toContainText('Would not verify');
  await ui.panel.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(field).toHaveAttribute('type', 'text');
  await ui.panel.getByRole('button', { name: 'Hide', exact: true }).click();
  await field.press('Enter');
  await expect(ui.panel).toContainText('Would verify');
  const untouched = await engine.api<{ has_signing_secret: boolean }>('GET', `/endpoints/${endpoint.id}`);
  expect(untouched.has_signing_secret).toBe(false);
  expect(await page.locator(`[value*="${secret}"]`).count(), 'not in an attribute').toBe(0);

  await ui.panel.getByRole('button', { name: 'Save as this endpoint’s secret' }).click();
  await expect(field).toHaveValue('');
  await expect(ui.panel).toContainText('The signature holds');
  await expect(ui.row('github.push')).toContainText('Valid');
  expect(await ui.document()).not.toContain(secret);
});

test('a slip in the saved secret is corrected by one button, and the tab says what was and what is', async ({
  ui,
  engine,
}) => {
  const endpoint = await engine.endpoint('Slipped', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: ` ${secret}\n` });
  const body = '{"ref":"main"}';
  const { status } = await engine.send(endpoint, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  expect(status).toBe(401);
  await ui.row('github.push').click();
  await ui.tab('Signature');
  await ui.panel.getByRole('button', { name: 'Remove the white space' }).click();
  await expect(ui.panel).toContainText('It was rejected when it arrived (signature does not match)');
  await expect(ui.panel).toContainText('valid by the endpoint’s present settings');
  await expect(ui.row('github.push')).toContainText('Valid');
  await expect(ui.row('github.push')).toContainText('Rejected');
  expect((await engine.send(endpoint, body, signature(secret, body))).status).toBe(200);
  expect(await ui.document()).not.toContain(secret);
});

test('another endpoint’s secret is accepted here too, and another provider’s rules after a question', async ({
  ui,
  engine,
}) => {
  const there = await engine.endpoint('Orders, live', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${there.id}/signing-secret`, { signing_secret: secret });
  const here = await engine.endpoint('Orders, test', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${here.id}/signing-secret`, { signing_secret: 'only of the test endpoint' });
  const body = '{"ref":"main"}';
  await engine.send(here, body, { 'X-GitHub-Event': 'push', ...signature(secret, body) });
  await ui.row('github.push').click();
  await ui.tab('Signature');
  const cause = ui.panel.getByRole('region', { name: 'Cause', exact: true });
  await expect(cause).toContainText('Orders, live');
  await cause.getByRole('button', { name: 'Accept that secret here too' }).click();
  await expect(ui.row('github.push')).toContainText('Valid');

  const shop = await engine.endpoint('Shop', { provider: 'shopify' });
  await engine.api('PUT', `/endpoints/${shop.id}/signing-secret`, { signing_secret: secret });
  await engine.send(shop, body, { 'X-Shopify-Topic': 'orders/paid', ...signature(secret, body) });
  await ui.row('orders/paid').click();
  await ui.tab('Signature');
  await cause.getByRole('button', { name: /^Switch to / }).click();
  const dialog = ui.page.getByRole('dialog', { name: /^Switch to / });
  await expect(dialog).toContainText('judged again');
  await dialog.getByRole('button', { name: 'Switch provider' }).click();
  await expect(ui.row('orders/paid')).toContainText('Valid');
});

test('an unknown sender’s scheme is described while the newest delivery says whether it holds', async ({
  ui,
  engine,
  tolerated,
}) => {
  const { page } = ui;
  // What is half typed is refused, which the browser notes.
  tolerated.patterns.push(/422/);
  const endpoint = await engine.endpoint('Homegrown');
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  const [body, time] = ['{"event":"order.paid"}', '1767225600'];
  const digest = createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('base64');
  await engine.send(endpoint, body, { 'X-Time': time, 'X-Our-Signature': `v0=${digest}` });
  await ui.go('Endpoints');
  await page.getByRole('radio', { name: 'Described here' }).check();
  const trial = page.getByRole('group', { name: 'Against the newest delivery' });
  await page.getByLabel('Header', { exact: true }).fill('X-Our-Signature');
  await expect(trial).toContainText('would not verify');
  await page.getByLabel('Prefix').fill('v0=');
  await page.getByLabel('Encoding').selectOption('base64');
  await page.getByRole('textbox', { name: 'Signed text' }).fill('v0:{header:X-Time');
  await expect(page.getByRole('alert').filter({ hasText: 'brace' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Signed text' }).fill('v0:{header:X-Time}:{body}');
  await expect(trial).toContainText('would verify');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Endpoint saved.')).toBeVisible();
  await ui.go('Deliveries');
  await expect(ui.row('order.paid')).toContainText('Valid');
  const again = await engine.send(endpoint, body, { 'X-Time': time, 'X-Our-Signature': `v0=${digest}` });
  expect(again.status).toBe(200);
});

test('another provider’s rules are tried on a delivery without a change, and switched to from there', async ({
  ui,
  engine,
}) => {
  const endpoint = await engine.endpoint('Moved', { provider: 'shopify' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: secret });
  const body = '{"event":"order.paid"}';
  await engine.send(endpoint, body, { 'X-Shopify-Topic': 'orders/paid', ...signature('another', body) });
  await ui.row('orders/paid').click();
  await ui.tab('Signature');
  const trial = ui.panel.getByRole('region', { name: 'Try a secret' });
  await expect(trial.getByRole('button', { name: 'Try it' })).toBeDisabled();
  await trial.getByLabel('By the rules of').selectOption('github');
  await trial.getByRole('button', { name: 'Try it' }).click();
  await expect(trial.getByText('Would not verify')).toBeVisible();
  await trial.getByLabel('Secret to try').fill('another');
  await expect(trial.getByText('Would not verify')).toBeHidden();
  await trial.getByRole('button', { name: 'Try it' }).click();
  await expect(trial.getByText('Would verify')).toBeVisible();
  await trial.getByRole('button', { name: /^Switch to GitHub/ }).click();
  const dialog = ui.page.getByRole('dialog', { name: /^Switch to GitHub/ });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  const unchanged = await engine.api('GET', `/endpoints/${endpoint.id}`);
  expect(unchanged).toMatchObject({ provider: 'shopify' });
});

test('an endpoint whose provider alone can sign gets a test key, and its private half is nowhere', async ({
  ui,
  engine,
}) => {
  const { page } = ui;
  await engine.endpoint('Bot', { provider: 'discord' });
  await ui.go('Endpoints');
  await page.getByRole('button', { name: 'Get a test key' }).click();
  await expect(page.getByLabel('Public key', { exact: true })).toHaveText(/^[0-9a-f]{64}$/);
  await expect(page.getByRole('button', { name: 'Remove secret 1' })).toBeVisible();
  await expect(page.getByText('private key, such as your test key')).toBeVisible();
  await expect(page.getByText(/begins or ends with white space/)).toHaveCount(0);
  expect(await ui.document()).not.toContain('PRIVATE');
});
