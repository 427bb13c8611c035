import { expect, test } from './fixtures';

const markup = '<img src=x onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)>';
const tricks = 'a\u202efdp.exe\u202c b\u200bc \u0007\u001b[31mred {{7*7}} ${7*7} javascript:alert(4)';

test('payloads from outside are text everywhere, and nothing of them runs', async ({ ui, engine, app }) => {
  const { page } = ui;
  app.body = markup;
  const endpoint = await engine.endpoint(markup, { targets: [{ url: app.url }] });
  const body = JSON.stringify({ event: `evil.${markup}`, html: markup }).replace('"html"', `"${tricks}":1,"html"`);
  await engine.send(
    endpoint,
    body,
    { 'X-Evil': markup, 'Idempotency-Key': markup },
    `/${encodeURIComponent(markup)}?q=<b>`,
  );
  const row = ui.rows.first();
  await expect(row).toContainText('evil.<img src=x onerror="alert(1)">');
  await row.click();
  for (const tab of ['Overview', 'Headers', 'Signature', 'Arrivals', 'Response', 'Attempts']) {
    await ui.tab(tab);
    await expect(ui.panel).not.toBeEmpty();
  }
  await ui.panel.getByRole('button', { name: /Your app's body/ }).click();
  await expect(page.getByTestId('body-text')).toHaveText(markup);
  await ui.tab('Body');
  const shown = page.getByTestId('body-text');
  await expect(shown).toContainText('<script>alert(2)</script>');
  for (const name of ['right-to-left override U+202E', 'zero-width space U+200B', 'control character U+001B']) {
    await expect(shown.getByTitle(name).first()).toBeVisible();
  }
  await ui.go('Endpoints');
  await expect(page.getByRole('heading', { name: markup })).toBeVisible();
  expect(await page.locator('#app img:not([alt="Creel"]), #app script, #app svg[onload], #app [onerror]').count()).toBe(
    0,
  );
  // Dialogs, exceptions and violations of the policy fail the test in the fixture.
});

test('copying gives the bytes as they came', async ({ ui, engine, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const endpoint = await engine.endpoint('Copy');
  const body = `{"event":"copy","text":"a\u202eb\u200bc"}\r\n`;
  await engine.send(endpoint, body);
  await ui.row('copy').click();
  await ui.tab('Body');
  await ui.panel.getByRole('button', { name: 'Copy' }).click();
  await expect(ui.panel.getByText('Copied').first()).toBeVisible();
  expect(await ui.page.evaluate(() => navigator.clipboard.readText())).toBe(body);
});
