import { expect, test } from './fixtures';

test('a lost connection is said, and what was missed appears after it is back', async ({ ui, engine, context, tolerated }) => {
  tolerated.patterns.push(/Failed to load resource/);
  const { page } = ui;
  const endpoint = await engine.endpoint('Steady');
  await engine.send(endpoint, '{"event":"before"}');
  await expect(ui.rows).toHaveCount(1);
  await context.setOffline(true);
  await expect(page.getByTestId('connection')).toHaveText('Disconnected');
  await expect(page.getByRole('alert').first()).toContainText('Creel does not answer');
  await expect(ui.row('before'), 'what was shown stays').toBeVisible();
  await engine.send(endpoint, '{"event":"meanwhile"}');
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Reconnect now' }).click({ timeout: 2_000 }).catch(() => undefined);
  await ui.live();
  await expect(ui.row('meanwhile')).toBeVisible();
  await expect(page.getByText('Creel does not answer')).toBeHidden();
  await engine.send(endpoint, '{"event":"after"}');
  await expect(ui.row('after')).toBeVisible();
});

test('an engine that was started anew asks for its fresh link, and the link shows everything', async ({ ui, engine, tolerated }) => {
  tolerated.patterns.push(/Failed to load resource/);
  const { page } = ui;
  const endpoint = await engine.endpoint('Restarted');
  await engine.send(endpoint, '{"event":"kept"}');
  await expect(ui.rows).toHaveCount(1);
  const ports = [engine.run.ingress_url, engine.run.admin_url].map((url) => url.replace('http://', ''));
  await engine.end('SIGKILL');
  await expect(page.getByTestId('connection')).toHaveText('Disconnected');
  await engine.start(ports[0], ports[1]);
  await expect(page.getByRole('heading', { name: 'This page needs a fresh link' })).toBeVisible();
  await expect(page.getByText('creel serve', { exact: true })).toBeVisible();
  await page.goto('about:blank');
  await page.goto(engine.link);
  await ui.live();
  await expect(ui.row('kept')).toBeVisible();
});

test('without a token the page says how to get one', async ({ page, engine }) => {
  await page.goto(engine.run.admin_url);
  await expect(page.getByRole('heading', { name: 'This page needs a fresh link' })).toBeVisible();
  await page.goto(`${engine.run.admin_url}/#token=wrong`);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'This page needs a fresh link' })).toBeVisible();
});
