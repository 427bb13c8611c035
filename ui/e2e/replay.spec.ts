import { App } from './engine';
import { expect, test } from './fixtures';

test('a replay shows its outcome against the original while it happens', async ({ ui, engine, app }) => {
  const endpoint = await engine.endpoint('Replays', { targets: [{ url: app.url }] });
  app.status = 500;
  await engine.send(endpoint, '{"event":"again"}');
  await engine.quiet();
  await ui.row('again').click();
  const lineage = ui.detail.getByRole('navigation', { name: 'Original and replays' });
  await expect(lineage).toHaveCount(0);
  app.status = 200;
  await ui.page.keyboard.press('r');
  await expect(lineage.getByRole('button', { name: /Replay 1/ })).toContainText('fixed');
  await expect(ui.rows).toHaveCount(2);
  app.status = 503;
  await ui.detail.getByRole('button', { name: 'Replay', exact: true }).click();
  await expect(lineage.getByRole('button', { name: /Replay 2/ })).toContainText('same');
  // A replay of a replay stands in the same lineage.
  await lineage.getByRole('button', { name: /Replay 1/ }).click();
  await expect(ui.page.getByTestId('verdict')).toContainText('A replay');
  await expect(lineage.getByRole('button', { name: /Replay 1/ })).toHaveAttribute('aria-current', 'true');
  await ui.page.keyboard.press('r');
  await expect(lineage.getByRole('button', { name: /Replay 3/ })).toContainText('same');
  await lineage.getByRole('button', { name: /Original/ }).click();
  await expect(ui.page.getByTestId('verdict')).toContainText('answered 500');
});

test('a double click makes one replay', async ({ ui, engine, app }) => {
  const endpoint = await engine.endpoint('Double', { targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"double"}');
  await engine.quiet();
  await ui.row('double').click();
  await ui.detail.getByRole('button', { name: 'Replay', exact: true }).dblclick();
  await expect(ui.rows).toHaveCount(2);
  await engine.quiet();
  const { total } = await engine.api<{ total: number }>('GET', '/deliveries');
  expect(total).toBe(2);
  expect(app.received).toHaveLength(2);
});

test('replay to another target, which is offered again', async ({ ui, engine, app, tolerated }) => {
  // The refused target.
  tolerated.patterns.push(/409 \(Conflict\)/);
  const other = new App();
  await other.start();
  const endpoint = await engine.endpoint('Other', { targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"elsewhere"}', {}, '/path?q=1');
  await engine.quiet();
  await ui.row('elsewhere').click();
  const open = async () => {
    await ui.detail.getByRole('button', { name: 'More ways to send it again' }).click();
    await ui.page.getByRole('menuitem', { name: /another target/ }).click();
    return ui.page.getByRole('dialog', { name: 'Replay to another target' });
  };
  let dialog = await open();
  await expect(dialog.getByRole('button', { name: app.url })).toBeVisible();
  await dialog.getByRole('textbox', { name: 'Target' }).fill(engine.run.ingress_url);
  await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('leads back to Creel');
  await dialog.getByRole('textbox', { name: 'Target' }).fill(other.url);
  await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => other.received.length).toBe(1);
  expect(other.received[0]?.url).toBe('/app/path?q=1');
  expect(app.received).toHaveLength(1);
  dialog = await open();
  await expect(dialog.getByRole('listitem').filter({ hasText: other.url })).toContainText('used before');
  await other.stop();
});

test('a rejected one is replayed only after a clear question', async ({ ui, engine, app }) => {
  const endpoint = await engine.endpoint('Rejected', { provider: 'github', targets: [{ url: app.url }] });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: 'a-secret-long-enough' });
  await engine.send(endpoint, '{}', { 'X-GitHub-Event': 'unsigned' });
  await ui.row('github.unsigned').click();
  await ui.page.keyboard.press('r');
  const question = ui.page.getByRole('dialog', { name: 'Relay a rejected delivery?' });
  await expect(question).toContainText('Nobody knows who sent it');
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect(app.received).toHaveLength(0);
  await ui.page.keyboard.press('r');
  await question.getByRole('button', { name: 'Replay anyway' }).click();
  await expect.poll(() => app.received.length).toBe(1);
  const lineage = ui.detail.getByRole('navigation', { name: 'Original and replays' });
  await expect(lineage.getByRole('button', { name: /Replay 1/ })).toContainText('succeeded');
});

test('what is still under way says why it cannot be replayed yet', async ({ ui, engine, app }) => {
  app.delayMs = 4_000;
  const endpoint = await engine.endpoint('Slow', { targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"slow"}');
  await ui.row('slow').click();
  await expect(ui.detail.getByRole('button', { name: 'Replay', exact: true })).toBeDisabled();
  await ui.page.keyboard.press('r');
  await expect(ui.page.getByText('Its relay is still under way')).toBeVisible();
  await expect(ui.detail.getByRole('button', { name: 'Replay', exact: true })).toBeEnabled();
});
