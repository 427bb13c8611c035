import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';

async function clean(page: Page, where: string) {
  // Notices come and go; what is checked is the screen.
  const result = await new AxeBuilder({ page }).analyze();
  const faults = result.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(' | ')}`);
  expect(faults, where).toEqual([]);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(sideways, `${where}: no horizontal scroll`).toBeLessThanOrEqual(0);
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 900]) {
    test.describe(`${colorScheme}, ${width} wide`, () => {
      test.use({ colorScheme, viewport: { width, height: 720 } });

      test('every screen and tab is accessible and fits', async ({ ui, engine, app }) => {
        test.slow();
        const { page } = ui;
        await clean(page, 'no endpoint');
        const endpoint = await engine.endpoint('GitHub, main repository', {
          provider: 'github',
          targets: [{ url: app.url }],
        });
        await expect(page.getByRole('heading', { name: 'Waiting for the first delivery' })).toBeVisible();
        await clean(page, 'first run');
        await ui.go('Tunnel');
        await expect(page.getByRole('radiogroup', { name: 'Tunnel program' })).toBeVisible();
        await clean(page, 'no tunnel');
        await page.getByRole('radio', { name: /^Custom command/ }).check();
        await page.getByRole('button', { name: 'Start tunnel', exact: true }).click();
        await clean(page, 'tunnel, something missing');
        await page.getByRole('radio', { name: /^zrok/ }).check();
        await clean(page, 'tunnel program that is not installed');
        await ui.go('Refusals');
        await clean(page, 'no refusals');

        await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: 'short' });
        await engine.send(endpoint, '{"a":1}', { 'X-GitHub-Event': 'push' });
        const open = await engine.endpoint('Open', { targets: [{ url: app.url }] });
        for (const status of [200, 404, 500]) {
          app.status = status;
          await engine.send(
            open,
            '{"event":"customer.subscription.updated.with.a.long.name"}',
            { 'Idempotency-Key': `k${status}` },
            '/a/long/path/that/goes/on',
          );
          await engine.quiet();
        }
        await engine.send(open, '{"event":"repeat"}', { 'Idempotency-Key': 'k200' });
        await engine.endpoint('Paused', { enabled: false });
        await fetch(`${engine.run.ingress_url}/in/nobody`, { method: 'POST' });

        await expect(page.getByText('The path names no endpoint.')).toBeVisible();
        await clean(page, 'refusals');
        await ui.go('Deliveries');
        await expect(ui.rows).toHaveCount(4);
        await clean(page, 'list');
        await ui.row('Failed').first().click();
        for (const tab of ['Overview', 'Body', 'Headers', 'Signature', 'Arrivals', 'Attempts', 'Response']) {
          await ui.tab(tab);
          await expect(ui.panel.getByRole('status', { name: /^Loading/ })).toHaveCount(0);
          await clean(page, tab);
        }
        await ui.row('Rejected').click();
        await ui.tab('Overview');
        await clean(page, 'rejected');
        await ui.detail.getByRole('button', { name: 'Replay', exact: true }).click();
        await clean(page, 'confirmation');
        await page.keyboard.press('Escape');
        await page.getByRole('combobox', { name: 'Filter deliveries' }).fill('nothing like it');
        await expect(page.getByRole('heading', { name: 'No delivery matches' })).toBeVisible();
        await clean(page, 'no match');
        await ui.go('Endpoints');
        await clean(page, 'endpoints');
        await page.getByRole('radio', { name: /^Fixed/ }).check();
        await clean(page, 'editing');
        await ui.go('Settings');
        await expect(page.getByLabel('Age', { exact: true })).toBeVisible();
        await clean(page, 'settings');
        await page.getByLabel('Age', { exact: true }).fill('never');
        await clean(page, 'settings, refused');
        await page.getByRole('button', { name: 'Discard' }).click();
        await page.getByRole('button', { name: 'Diagnostics bundle' }).click();
        await clean(page, 'diagnostics');
        await page.keyboard.press('Escape');
      });

      test('what the shell shows over every screen is accessible and fits', async ({ ui, engine, app, tolerated }) => {
        test.slow();
        const { page } = ui;
        const open = await engine.endpoint('Open', { targets: [{ url: app.url }] });
        await engine.endpoint('A second one');
        await app.stop();
        await engine.send(open, '{"event":"lost"}');
        await expect(page.getByText(/^Nothing answers on/).first()).toBeVisible();
        await page.getByRole('button', { name: 'Pause list' }).click();
        await clean(page, 'target down, list paused');
        await page.getByRole('button', { name: 'Endpoint: All endpoints' }).click();
        await expect(page.getByRole('menuitemradio')).toHaveCount(3);
        await clean(page, 'switcher');
        await page.keyboard.press('Escape');
        await expect(page.getByRole('menuitemradio')).toHaveCount(0);
        await page.keyboard.press('Control+k');
        await expect(page.getByRole('dialog').getByRole('option').first()).toBeVisible();
        await clean(page, 'palette');
        await page.keyboard.type('no such thing');
        await clean(page, 'palette, nothing found');
        await page.keyboard.press('Escape');
        await page.keyboard.press('?');
        await clean(page, 'keys');
        await page.keyboard.press('Escape');
        tolerated.patterns.push(/ERR_|Failed to load/);
        await engine.end('SIGKILL');
        await expect(page.getByTestId('connection')).toHaveText('Disconnected');
        // How the app stands is not known any more.
        await expect(page.getByRole('main').getByText(/^Nothing answers on/)).toBeHidden();
        await clean(page, 'disconnected');
      });

      test('a tunnel in every state, and a changed URL, are accessible and fit', async ({ ui, engine }) => {
        test.slow();
        const { page } = ui;
        await engine.endpoint('A shop with a name that is much too long for the place where it stands', {
          provider: 'github',
        });
        await engine.endpoint('A second one');
        const state = page.getByRole('status', { name: 'State of the tunnel' });
        /** A program that says two long lines and its URL, then stays until it is killed, or ends by itself. */
        const program = (url: string, then: string) => ({
          provider: 'custom',
          options: {
            command: [
              'sh',
              '-c',
              `echo '${'long '.repeat(80)}'; echo '<b>${'x'.repeat(400)}</b>'; echo "at ${url}"; ${then}`,
            ],
            url_pattern: 'at (?P<url>\\S+)',
          },
        });
        await ui.go('Tunnel');
        await page.getByRole('radio', { name: /^bore/ }).check();
        const { port } = new URL(engine.run.ingress_url);
        await engine.api('POST', '/tunnel', program(`http://localhost:${port}`, 'exec sleep 600'));
        await expect(state).toContainText('reachable');
        await clean(page, 'ready');
        await ui.go('Deliveries');
        await clean(page, 'first run with a tunnel');
        await ui.go('Endpoints');
        await clean(page, 'endpoint with a tunnel');
        await engine.api('DELETE', '/tunnel');
        await engine.api('POST', '/tunnel', program(engine.run.ingress_url, 'sleep 3; exit 3'));
        const bar = page.getByRole('region', { name: /^The public URL changed/ });
        await expect(bar).toBeVisible();
        await clean(page, 'changed URL');
        await ui.go('Tunnel');
        await expect(state).toContainText('Restarting');
        await clean(page, 'restarting');
        await engine.api('DELETE', '/tunnel');
        await engine.api('POST', '/tunnel', program('http://127.0.0.1:1', 'exec sleep 600'));
        await expect(state).toContainText('Degraded', { timeout: 30_000 });
        await clean(page, 'degraded');
        await ui.go('Settings');
        await expect(page.getByRole('status', { name: 'Trouble with the tunnel' })).toBeVisible();
        await clean(page, 'degraded, elsewhere');
        await ui.go('Tunnel');
        await page.evaluate(() => (document.documentElement.style.fontSize = '32px'));
        await clean(page, 'at 200 %');
        await page.getByRole('button', { name: 'Stop tunnel' }).click();
        await expect(page.getByRole('radiogroup', { name: 'Tunnel program' })).toBeVisible();
        await clean(page, 'stopped, at 200 %');
      });
    });
  }
}
