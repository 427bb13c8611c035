import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from './fixtures';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

const clipboard = (page: import('@playwright/test').Page) => page.evaluate(() => navigator.clipboard.readText());

test('y copies a curl command that does again what was done, byte for byte', async ({ ui, engine, app }) => {
  const endpoint = await engine.endpoint('Copy', { targets: [{ url: app.url }] });
  const body = `{"event":"copy","text":"it's \\"quoted\\" $(id) \`id\` é \u202e"}\r\n\n`;
  const headers = { 'X-Quote': `it's "here" $(id)`, 'X-Empty': '' };
  await engine.send(endpoint, body, headers, `/a%20b?q=it's&list[]={1}`);
  await engine.quiet();
  await ui.row('copy').click();
  await expect(ui.page.getByTestId('verdict')).toBeVisible();
  await ui.page.keyboard.press('y');
  await expect(ui.page.getByText('curl command copied.')).toBeVisible();
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', await clipboard(ui.page)]);
  const [first, second] = app.received;
  expect(second?.body.equals(first?.body ?? Buffer.of())).toBe(true);
  expect(second?.url).toBe(first?.url);
  const sent = (one: typeof first) => {
    const own = ['x-creel-delivery', 'x-creel-attempt', 'connection'];
    return Object.fromEntries(Object.entries(one?.headers ?? {}).filter(([name]) => !own.includes(name)));
  };
  expect(sent(second)).toEqual(sent(first));
});

test('Y copies the body as it came; what is no text is said', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Copy');
  const body = `{"event":"copy","text":"a\u202eb\u200bc"}\r\n`;
  await engine.send(endpoint, body);
  await engine.send(endpoint, Uint8Array.of(0xff, 0), { 'X-Event-Type': 'binary' });
  await ui.row('copy').click();
  await expect(ui.page.getByTestId('verdict')).toBeVisible();
  await ui.page.keyboard.press('Shift+Y');
  await expect(ui.page.getByText('Body copied.')).toBeVisible();
  expect(await clipboard(ui.page)).toBe(body);
  await ui.row('binary').click();
  await expect(ui.detail.getByRole('heading', { name: 'binary' })).toBeVisible();
  await ui.page.keyboard.press('Shift+Y');
  await expect(ui.page.getByText('Body was not copied.')).toBeVisible();
  await expect(ui.page.getByText('It is no text: 2 bytes.')).toBeVisible();
});

test('raw HTTP and JSON', async ({ ui, engine, app }) => {
  const endpoint = await engine.endpoint('Copy', { targets: [{ url: app.url }] });
  const body = '{"event":"forms","big":9007199254740993}';
  await engine.send(endpoint, body, { 'X-One': '1' }, '/x?y=1');
  await engine.quiet();
  await ui.row('forms').click();
  await ui.detail.getByRole('button', { name: 'Copy as' }).click();
  await ui.page.getByRole('menuitem', { name: 'Raw HTTP' }).click();
  await expect(ui.page.getByText('Raw HTTP copied.')).toBeVisible();
  const raw = await clipboard(ui.page);
  expect(raw.startsWith('POST /app/x?y=1 HTTP/1.1\r\n')).toBe(true);
  expect(raw).toContain('X-One: 1\r\n');
  expect(raw.endsWith(`\r\n\r\n${body}`)).toBe(true);
  await ui.detail.getByRole('button', { name: 'Copy as' }).click();
  await ui.page.getByRole('menuitem', { name: 'JSON' }).click();
  await expect(ui.page.getByText('JSON copied.')).toBeVisible();
  const json = JSON.parse(await clipboard(ui.page)) as { raw_body: string; event: string };
  expect([json.event, json.raw_body]).toEqual(['forms', body]);
});

test('at 200 % every way to copy and to replay can be reached', async ({ ui, engine, app }) => {
  const { page } = ui;
  await page.setViewportSize({ width: 900, height: 700 });
  const endpoint = await engine.endpoint('Large letters', { targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"large"}');
  await engine.quiet();
  await ui.row('large').click();
  await expect(ui.detail.getByRole('heading', { name: 'large' })).toBeVisible();
  const zoomed = () => page.evaluate(() => document.documentElement.style.fontSize);
  for (let step = 0; step < 20 && (await zoomed()) !== '200%'; step += 1) await page.keyboard.press('Control+Equal');
  expect(await zoomed()).toBe('200%');
  for (const name of ['Copy as', 'More ways to send it again']) {
    await ui.detail.getByRole('button', { name }).click();
    const items = page.getByRole('menu').getByRole('menuitem');
    await expect(items.first()).toBeVisible();
    for (const item of await items.all()) {
      await item.scrollIntoViewIfNeeded();
      // What is at its middle is the item itself: nothing cuts it off or covers it.
      const reachable = await item.evaluate((element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        return element.contains(at) && left >= 0 && right <= innerWidth;
      });
      expect(reachable, await item.innerText()).toBe(true);
    }
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toHaveCount(0);
  }
});
