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
  await ui.panel.getByRole('link', { name: 'Open the endpoint' }).click();
  await expect(ui.page.getByLabel('Provider')).toHaveValue('generic');
});
