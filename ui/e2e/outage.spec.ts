import { Cable } from './engine';
import { expect, test, Window } from './fixtures';

test('a lost connection is said, and what was missed appears after it is back', async ({ page, engine }) => {
  const cable = new Cable(engine);
  await cable.mend();
  await page.goto(cable.link);
  const ui = new Window(page);
  await ui.live();
  const endpoint = await engine.endpoint('Steady');
  await engine.send(endpoint, '{"event":"before"}');
  await expect(ui.rows).toHaveCount(1);

  await cable.cut();
  await expect(page.getByTestId('connection')).toHaveText('Disconnected');
  await expect(page.getByRole('alert').first()).toContainText('Creel does not answer');
  await expect(ui.row('before'), 'what was shown stays').toBeVisible();
  await ui.row('before').click();
  await expect(ui.detail.getByRole('alert')).toContainText('Creel does not answer');
  await ui.go('Settings');
  await expect(page.getByText('Settings: Creel does not answer')).toBeVisible();
  await engine.send(endpoint, '{"event":"meanwhile"}');

  await cable.mend();
  await page
    .getByRole('button', { name: 'Reconnect now' })
    .click({ timeout: 1_000 })
    .catch(() => undefined);
  await ui.live();
  await expect(page.getByRole('button', { name: 'Reconnect now' })).toBeHidden();
  await ui.go('Deliveries');
  await expect(ui.row('meanwhile')).toBeVisible();
  await engine.send(endpoint, '{"event":"after"}');
  await expect(ui.row('after')).toBeVisible();
  await ui.row('before').click();
  await expect(page.getByTestId('verdict')).toBeVisible();
  await cable.cut();
});

test('an engine that was started anew asks for its fresh link, and the link shows everything', async ({
  ui,
  engine,
  tolerated,
}) => {
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
