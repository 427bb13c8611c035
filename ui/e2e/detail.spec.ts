import { signature } from './engine';
import { expect, test } from './fixtures';

const SECRET = 'a-secret-that-is-long-enough';

test('the overview says what happened, what to do next, and when', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('GitHub', { provider: 'github', targets: [{ url: app.url }] });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: SECRET });
  app.status = 500;
  const body = '{"action":"opened"}';
  const headers = { ...signature(SECRET, body), 'X-GitHub-Event': 'issues', 'X-GitHub-Delivery': 'one' };
  await engine.send(endpoint, body, headers);
  await ui.row('issues.opened').click();
  await expect(page.getByTestId('verdict')).toHaveText(
    /^Signature valid \(GitHub\)\. Your app answered 500 in (<1|\d+) ms\.$/,
  );
  await expect(page.getByTestId('next')).toContainText('then press r');
  const moments = page.getByRole('list', { name: 'What happened when' }).getByRole('listitem');
  await expect(moments).toHaveCount(3);
  await expect(moments.nth(0)).toContainText('Arrived');
  await expect(moments.nth(1)).toContainText('the sender was told 200');
  await expect(moments.nth(2)).toContainText(`Sent to ${new URL(app.url).host} answered 500`);
  await expect(moments.nth(2).getByRole('img', { name: /^Took / })).toBeVisible();
});

test('nothing answers at the target: the next step names its host', async ({ ui, engine, app }) => {
  const url = app.url;
  await app.stop();
  const endpoint = await engine.endpoint('Down', { targets: [{ url }] });
  await engine.send(endpoint, '{"event":"while.down"}');
  await ui.row('while.down').click();
  await expect(ui.page.getByTestId('next')).toHaveText(
    `Nothing answers on ${new URL(url).host}. Start your app, then press r.`,
  );
  await ui.page.keyboard.press('7');
  await expect(ui.panel).toContainText('The sender was told 200');
});

test('duplicates and their other bytes stand in the timeline and can be looked at', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Twice');
  await engine.send(endpoint, '{"event":"twice","n":1}', { 'Idempotency-Key': 'k' });
  await engine.send(endpoint, '{"event":"twice","n":1}', { 'Idempotency-Key': 'k' });
  await engine.send(endpoint, '{"event":"twice","other":true}', { 'Idempotency-Key': 'k' });
  await ui.row('twice').click();
  const moments = ui.page.getByRole('list', { name: 'What happened when' });
  await expect(moments).toContainText('Arrived again (#2) same bytes');
  await expect(moments).toContainText('Arrived again (#3) other bytes, 30 bytes');
  await ui.tab('Arrivals');
  await expect(ui.panel).toContainText('Same key, different body');
  await ui.panel.getByRole('button', { name: 'Body', exact: true }).click();
  await expect(ui.panel.getByTestId('body-text')).toContainText('"other": true');
});

test('headers: as received, filtered, and explained where they are numbers', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Headers');
  await engine.send(endpoint, '{"event":"headers"}', {
    'X-Timestamp': '1700000000',
    'X-Padded': 'a  b',
    'X-Empty': '',
  });
  await ui.row('headers').click();
  await ui.tab('Headers');
  await expect(ui.panel.getByRole('row', { name: /x-timestamp/i })).toContainText('2023');
  await expect(ui.panel.getByRole('row', { name: /x-empty/i })).toContainText('empty');
  const all = await ui.panel.getByRole('row').count();
  await ui.panel.getByRole('searchbox', { name: 'Filter headers' }).fill('X-PADDED');
  await expect(ui.panel.getByRole('rowheader')).toHaveCount(1);
  await expect(ui.panel.getByRole('status').first()).toHaveText(`1 of ${all - 1}`);
});

test('signature: the first difference is marked, and a missing secret leads to the endpoint', async ({
  ui,
  engine,
}) => {
  const endpoint = await engine.endpoint('Signed', { provider: 'github' });
  const body = '{"event":"x"}';
  await engine.send(endpoint, body, { 'X-GitHub-Event': 'first' });
  await ui.row('github.first').click();
  await ui.tab('Signature');
  await expect(ui.panel.getByRole('link', { name: 'Add secret' })).toHaveAttribute(
    'href',
    `#/endpoints/${endpoint.id}`,
  );
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: SECRET });
  await engine.send(endpoint, body, { ...signature('another secret', body), 'X-GitHub-Event': 'second' });
  await ui.row('github.second').click();
  const marks = ui.panel.locator('mark');
  await expect(marks).toHaveCount(2);
  await expect(marks.first()).toHaveAttribute('title', /first difference, character (8|9|1\d)$/);
  await expect(ui.panel.getByRole('region', { name: 'What is signed' })).toContainText('13 bytes');
  await ui.panel.getByRole('link', { name: 'Change secret' }).click();
  await expect(ui.page.getByRole('heading', { name: 'Signed' })).toBeVisible();
});

test('attempts: trigger, time by phase, and the answer in full', async ({ ui, engine, app }) => {
  app.body = '{"ok":true,"big":9007199254740993}';
  const endpoint = await engine.endpoint('Attempts', { targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"tried"}');
  await engine.quiet();
  await ui.row('tried').click();
  await expect(ui.panel).toBeVisible();
  await ui.page.keyboard.press('6');
  const card = ui.panel.getByRole('article', { name: 'Attempt 1' });
  await expect(card).toContainText('automatic, when it arrived');
  for (const phase of [/connect (<1|\d+) ms/, /first byte (<1|\d+) ms/, /rest (<1|\d+) ms/, /total (<1|\d+) ms/]) {
    await expect(card).toContainText(phase);
  }
  await card.getByRole('button', { name: /Your app’s body/ }).click();
  await expect(card.getByTestId('body-text')).toContainText('"big": 9007199254740993');
  await card.getByText('Raw', { exact: true }).click();
  await expect(card.getByTestId('body-text')).toHaveText(app.body);
});

test.describe('where the tabs do not fit', () => {
  test.use({ viewport: { width: 900, height: 700 } });

  test('a key brings the one that it chooses into view', async ({ ui, engine }) => {
    const endpoint = await engine.endpoint('Narrow');
    await engine.send(endpoint, '{"event":"narrow"}');
    await ui.row('narrow').click();
    await expect(ui.panel).toBeVisible();
    for (const [key, name] of [
      ['7', 'Response'],
      ['1', 'Overview'],
    ] as const) {
      await ui.page.keyboard.press(key);
      await expect(ui.detail.getByRole('tab', { name: new RegExp(`^${name}`) })).toBeInViewport({ ratio: 1 });
    }
  });
});

test('number keys change tabs, Escape closes', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Keys');
  await engine.send(endpoint, '{"event":"keys"}');
  await ui.row('keys').click();
  await expect(ui.panel).toBeVisible();
  for (const [key, name] of [
    ['2', 'Body'],
    ['5', 'Arrivals'],
    ['1', 'Overview'],
  ] as const) {
    await ui.page.keyboard.press(key);
    await expect(ui.detail.getByRole('tab', { name: new RegExp(`^${name}`) })).toHaveAttribute('aria-selected', 'true');
  }
  await ui.detail.getByRole('tab', { name: 'Overview' }).focus();
  await ui.page.keyboard.press('Escape');
  await expect(ui.detail).toHaveCount(0);
});
