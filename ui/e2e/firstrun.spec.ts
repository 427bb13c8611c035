import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { Endpoint } from './engine';
import { expect, test } from './fixtures';

test.use({ untouched: true });

const waiting = (page: Page) => page.getByRole('heading', { name: 'Waiting for the first delivery' });

async function accessible(page: Page, where: string) {
  const result = await new AxeBuilder({ page }).analyze();
  const faults = result.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(' | ')}`);
  expect(faults, where).toEqual([]);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(sideways, `${where}: no horizontal scroll`).toBeLessThanOrEqual(0);
}

test('an empty Creel has an endpoint, and two steps lead to a signed, relayed, green row', async ({
  ui,
  engine,
  app,
}) => {
  const { page } = ui;
  await expect(waiting(page)).toBeVisible();
  const { endpoints } = await engine.api<{ endpoints: Endpoint[] }>('GET', '/endpoints');
  expect(endpoints).toHaveLength(1);
  const made = endpoints[0];
  if (!made) throw new Error('no endpoint');
  expect(await ui.document(), 'its URL is masked').not.toContain(made.token);

  const field = page.getByLabel('Port or URL of your app');
  await expect(field, 'one can type at once').toBeFocused();
  const { port } = new URL(app.url);
  await page.keyboard.type(`${port}/hooks`);
  await expect(page.getByText('Reachable', { exact: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Deliveries are relayed here')).toBeVisible();
  await expect(page.getByText('Your app is reachable')).toBeAttached();

  await page.getByRole('button', { name: 'Copy endpoint URL' }).click();
  await expect(page.getByText('The URL was copied')).toBeAttached();
  await page.getByRole('radiogroup', { name: 'Provider' }).getByText('GitHub').click();
  await expect(page.getByRole('link', { name: /^GitHub: creating webhooks/ })).toHaveAttribute(
    'href',
    'https://docs.github.com/en/webhooks/using-webhooks/creating-webhooks',
  );
  await page.getByRole('button', { name: 'Make a signing secret' }).click();
  await expect(page.getByText('Paste it as the provider’s secret now')).toBeVisible();
  expect(await engine.api('GET', `/endpoints/${made.id}`)).toMatchObject({
    provider: 'github',
    has_signing_secret: true,
    targets: [{ url: `http://localhost:${port}/hooks` }],
  });

  await page.getByRole('button', { name: 'Send test event' }).click();
  const row = ui.row('github.push');
  await expect(row).toContainText('Valid');
  await expect(row).toContainText('200');
  await expect(waiting(page)).toBeHidden();
  const got = app.received.find((request) => request.url === '/hooks');
  expect(got?.headers['x-github-event']).toBe('push');
  expect(got?.headers['x-hub-signature-256']).toMatch(/^sha256=[0-9a-f]{64}$/);

  const line = page.getByRole('region', { name: 'First steps' });
  await expect(line).toContainText('Waiting for deliveries on http://127.0.0.1');
  await line.getByRole('button', { name: 'Send test event' }).click();
  await expect(ui.rows).toHaveCount(2);
  await line.getByRole('button', { name: 'Dismiss the first steps' }).click();
  await expect(line).toBeHidden();
  await page.reload();
  await ui.live();
  await expect(ui.rows).toHaveCount(2);
  await expect(line).toBeHidden();
});

test('an app that starts later turns green by itself, and usual ports are offered', async ({ ui, app, engine }) => {
  const { page } = ui;
  const { createServer } = await import('node:http');
  const usual = createServer((_, response) => response.writeHead(404, { 'X-Powered-By': 'Express' }).end());
  // One of the usual ports that is free here.
  let port = 0;
  for (const candidate of [1337, 3333, 8787, 4321, 9000]) {
    port = await new Promise<number>((resolve) => {
      usual.once('error', () => resolve(0));
      usual.listen(candidate, '127.0.0.1', () => resolve(candidate));
    });
    if (port !== 0) break;
  }
  const offers = page.getByRole('group', { name: 'Answering on this machine' });
  await offers.getByRole('button', { name: `${port} Express` }).click();
  await expect(page.getByText('Deliveries are relayed here')).toBeVisible();
  const { endpoints } = await engine.api<{ endpoints: object[] }>('GET', '/endpoints');
  expect(endpoints[0]).toMatchObject({ targets: [{ url: `http://localhost:${port}` }] });
  usual.closeAllConnections();
  await new Promise((resolve) => usual.close(resolve));

  const url = app.url;
  await app.stop();
  const field = page.getByLabel('Port or URL of your app');
  await field.fill(url);
  await expect(page.getByText('Nothing answers yet')).toBeVisible();
  await page.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByText('Start your app: this turns green')).toBeVisible();
  const late = createServer((_, response) => response.end());
  await new Promise<void>((resolve) => late.listen(Number(new URL(url).port), '127.0.0.1', resolve));
  await expect(page.getByText('Your app is reachable')).toBeAttached();
  late.closeAllConnections();
  await new Promise((resolve) => late.close(resolve));
});

test('what cannot be used is said at its field, and a public URL is taken over', async ({ ui, engine, tolerated }) => {
  tolerated.patterns.push(/4(22|09)/);
  const { page } = ui;
  await page.getByLabel('Port or URL of your app').fill(engine.run.ingress_url);
  await expect(page.getByText('That is Creel itself')).toBeVisible();
  await page.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByRole('alert')).toContainText('Creel itself');
  await page.getByText('Run a tunnel yourself').click();
  await expect(page.getByText(`cloudflared tunnel --url ${engine.run.ingress_url}`)).toBeVisible();
  const address = page.getByLabel('Then enter the address that it prints');
  await address.fill('ftp://example.com');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'http' })).toBeVisible();
  await address.fill('https://hooks.example.com');
  await address.press('Enter');
  await expect(page.getByRole('group', { name: 'public URL' })).toContainText('https://hooks.example.com/in/••••');
});

test('the steps can be put away and shown again, and the last endpoint stays deleted', async ({ ui, engine }) => {
  const { page } = ui;
  await page.getByRole('button', { name: 'Dismiss the first steps' }).click();
  await expect(waiting(page)).toBeHidden();
  await expect(page.getByText('Waiting for deliveries on')).toBeVisible();
  await page.getByRole('button', { name: 'Show the first steps' }).click();
  await expect(waiting(page)).toBeVisible();
  const { endpoints } = await engine.api<{ endpoints: Endpoint[] }>('GET', '/endpoints');
  await engine.api('DELETE', `/endpoints/${endpoints[0]?.id}`);
  await expect(page.getByRole('heading', { name: 'No endpoint yet' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'No endpoint yet' })).toBeVisible();
  await page.getByRole('button', { name: 'Create an endpoint' }).click();
  await expect(waiting(page)).toBeVisible();
});

test('everything can be reached with the keyboard alone', async ({ ui, app }) => {
  const { page } = ui;
  const { port } = new URL(app.url);
  await expect(page.getByLabel('Port or URL of your app')).toBeFocused();
  await page.keyboard.type(port);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Deliveries are relayed here')).toBeVisible();
  const send = page.getByRole('button', { name: 'Send test event' });
  for (let step = 0; step < 30; step += 1) {
    if (await send.evaluate((button) => button === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await expect(send).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(ui.row('order.created')).toContainText('200');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, viewport: { width: 900, height: 700 } });

    test('the first run and the endpoints are accessible and fit', async ({ ui, engine, app }) => {
      test.slow();
      const { page } = ui;
      await expect(waiting(page)).toBeVisible();
      await accessible(page, 'first run');
      await page.getByLabel('Port or URL of your app').fill(app.url);
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByText('Run a tunnel yourself').click();
      for (const provider of ['GitHub', 'Stripe']) {
        await page.getByRole('radiogroup', { name: 'Provider' }).getByText(provider).click();
        await accessible(page, provider);
      }
      await page.getByRole('button', { name: 'Dismiss the first steps' }).click();
      await accessible(page, 'the steps put away');
      await page.getByRole('button', { name: 'Send test event' }).click();
      await expect(ui.rows).toHaveCount(1);
      const { endpoints } = await engine.api<{ endpoints: Endpoint[] }>('GET', '/endpoints');
      await engine.api('PUT', `/endpoints/${endpoints[0]?.id}/signing-secret`, { signing_secret: 'short' });
      await engine.endpoint('A second one with a name that is much too long for the list of endpoints', {
        enabled: false,
        targets: [{ url: 'http://localhost:1/' }],
      });
      await ui.go('Endpoints');
      await page.getByRole('button', { name: 'Test target 1' }).click();
      await page.getByRole('button', { name: 'Send test event' }).click();
      await expect(page.getByRole('link', { name: 'Open the delivery' })).toBeVisible();
      await page.getByRole('radio', { name: /^Fixed/ }).check();
      await page.getByLabel('New signing secret').fill(' "whsec_x" ');
      await accessible(page, 'editing');
      await page.getByRole('button', { name: /^A second one/ }).click();
      await accessible(page, 'paused');
      await page.getByRole('button', { name: 'New endpoint' }).click();
      await accessible(page, 'new endpoint');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await accessible(page, 'delete');
    });
  });
}
