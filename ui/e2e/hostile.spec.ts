import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Endpoint } from './engine';
import { expect, test } from './fixtures';

const markup = '<img src=x onerror="alert(1)"><script>alert(2)</script><svg onload=alert(3)>';
const tricks = 'a\u202efdp.exe\u202c b\u200bc \u0007\u001b[31mred {{7*7}} ${7*7} javascript:alert(4)';

const data = <T>(name: string) => JSON.parse(readFileSync(join(import.meta.dirname, 'hostile', name), 'utf8')) as T;

/** Collects what the policy refuses, wherever it is told. Dialogs, exceptions and the console are watched by the fixture. */
async function watchPolicy(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const reports: string[] = [];
    Object.assign(window, { policyReports: reports });
    document.addEventListener('securitypolicyviolation', (event) =>
      reports.push(`${event.violatedDirective}: ${event.blockedURI}`),
    );
  });
  return () => page.evaluate(() => (window as unknown as { policyReports: string[] }).policyReports);
}

/** Nothing that a payload could have made is in the page, editor roots included. */
async function nothingMade(page: Page): Promise<void> {
  const made = await page.evaluate(() => {
    const roots: ParentNode[] = [document.querySelector('#app') as ParentNode];
    for (const host of document.querySelectorAll('*')) if (host.shadowRoot) roots.push(host.shadowRoot);
    const forbidden =
      'script, iframe, object, embed, base, meta, link, style, img:not([alt="Creel"], .cm-widgetBuffer:not([src])), [onerror], [onload], [href^="javascript:" i]';
    return roots.flatMap((root) => [...root.querySelectorAll(forbidden)].map((node) => node.outerHTML));
  });
  expect(made).toEqual([]);
}

/** Every tab of the open delivery is looked at. */
async function everyTab(page: Page): Promise<void> {
  for (const key of ['1', '3', '4', '5', '6', '7', '2']) await page.keyboard.press(key);
}

/** What the page shows of text: marks stand for what would be invisible. */
const shownOf = (text: string) => text.replace(/\s+/g, ' ').trim();

test('payloads from outside are text everywhere, and nothing of them runs', async ({ ui, engine, app }) => {
  const { page } = ui;
  const reports = await watchPolicy(page);
  app.body = markup;
  const endpoint = await engine.endpoint(markup, { targets: [{ url: app.url }] });
  const body = JSON.stringify({ event: `evil.${markup}`, html: markup }).replace('"html"', `"${tricks}":1,"html"`);
  const headers = { 'X-Evil': markup, 'Idempotency-Key': markup };
  await engine.send(endpoint, body, headers, `/${encodeURIComponent(markup)}?q=<b>`);
  const row = ui.rows.first();
  await expect(row).toContainText('evil.<img src=x onerror="alert(1)">');
  await row.click();
  for (const tab of ['Overview', 'Headers', 'Signature', 'Arrivals', 'Response', 'Attempts']) {
    await ui.tab(tab);
    await expect(ui.panel).not.toBeEmpty();
  }
  await ui.panel.getByRole('button', { name: /Your app’s body/ }).click();
  await expect(page.getByTestId('body-text')).toHaveText(markup);
  await ui.tab('Body');
  await ui.panel.getByRole('radiogroup').getByText('Raw', { exact: true }).click();
  const shown = page.getByTestId('body-text');
  await expect(shown).toContainText('<script>alert(2)</script>');
  for (const name of ['right-to-left override U+202E', 'zero-width space U+200B', 'control character U+001B']) {
    await expect(shown.getByTitle(name).first()).toBeVisible();
  }
  await nothingMade(page);
  await ui.go('Endpoints');
  await expect(page.getByRole('heading', { name: markup })).toBeVisible();
  await nothingMade(page);
  expect(await reports()).toEqual([]);
});

test('every payload of the XSS list through event name, path, query, header and body', async ({ ui, engine }) => {
  test.slow();
  const { page } = ui;
  const reports = await watchPolicy(page);
  const endpoint = await engine.endpoint('XSS');
  const payloads = data<string[]>('xss.json');
  expect(payloads.length).toBeGreaterThan(90);
  for (const payload of payloads) {
    // eslint-disable-next-line no-control-regex -- what no header value may hold
    const header = payload.replace(/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/g, '?');
    const path = `/${encodeURIComponent(payload)}?q=${encodeURIComponent(payload)}`;
    await engine.send(endpoint, JSON.stringify({ event: `x.${payload}`, payload }), { 'X-Payload': header }, path);
  }
  await expect(page.getByTestId('total')).toHaveText(`${payloads.length} deliveries`);
  const { deliveries } = await engine.api<{ deliveries: { id: string }[] }>('GET', '/deliveries?limit=500');
  // The newest came last.
  const ids = deliveries.map(({ id }) => id).reverse();
  // Every third is opened with all its tabs: each takes its second.
  for (const [index, id] of ids.entries()) {
    if (index % 3 !== 0) continue;
    await page.evaluate((hash) => (window.location.hash = hash), `#/deliveries/${id}`);
    await expect(ui.detail.getByRole('heading').first()).toContainText(/^x\./);
    await everyTab(page);
    if (index % 15 === 0) {
      await expect(page.getByTestId('body-text')).toContainText('"payload":');
      await nothingMade(page);
    }
  }
  await nothingMade(page);
  expect(await reports()).toEqual([]);
});

test('each naughty string is stored, answered and shown as the bytes it came as', async ({ ui, engine }) => {
  test.slow();
  const { page } = ui;
  const reports = await watchPolicy(page);
  const endpoint = await engine.endpoint('BLNS');
  const strings = data<string[]>('blns.json').filter((text) => text !== '');
  expect(strings.length).toBeGreaterThan(400);
  for (const text of strings) await engine.send(endpoint, text, { 'Content-Type': 'text/plain' });
  // Stored byte for byte, one by one.
  const { deliveries } = await engine.api<{ deliveries: { id: string }[] }>('GET', '/deliveries?limit=500');
  const bodies = [];
  for (const { id } of deliveries) {
    bodies.unshift((await engine.api<{ raw_body: string }>('GET', `/deliveries/${id}`)).raw_body);
  }
  expect(bodies).toEqual(strings);
  // Shown as they are: all of them at once, as one body of one JSON list.
  const all = JSON.stringify({ event: 'naughty', strings });
  await engine.send(endpoint, all);
  await ui.row('naughty').click();
  await everyTab(page);
  await ui.panel.getByRole('radiogroup').getByText('Raw', { exact: true }).click();
  const shown = page.getByTestId('body-text');
  await expect(shown).toContainText('{"event":"naughty"');
  const text = await shown.evaluate((node) => {
    // Marks give back the character that they stand for.
    const plain = (child: Node): string => {
      if (child instanceof HTMLElement && child.classList.contains('cm-mark')) {
        const code = /U\+([0-9A-F]+)$/.exec(child.title)?.[1] ?? '';
        return String.fromCodePoint(Number.parseInt(code, 16));
      }
      return child instanceof Text ? child.data : [...child.childNodes].map(plain).join('');
    };
    return plain(node);
  });
  expect(shownOf(all).startsWith(shownOf(text).slice(0, 2_000))).toBe(true);
  await nothingMade(page);
  expect(await reports()).toEqual([]);
});

test('JSONTestSuite: formatted or refused, and always there as it came', async ({ ui, engine }) => {
  test.slow();
  const { page } = ui;
  const reports = await watchPolicy(page);
  const endpoint = await engine.endpoint('JSON');
  const suite = data<{ name: string; input: string }[]>('json-test-suite.json').filter(({ input }) => input !== '');
  const some = suite.filter((_, index) => index % 6 === 0);
  for (const { name, input } of some) await engine.send(endpoint, input, { 'X-Event-Type': 'suite', 'X-Name': name });
  const { deliveries } = await engine.api<{ deliveries: { id: string }[] }>('GET', '/deliveries?limit=500');
  await ui.go('Deliveries');
  for (const { id } of deliveries) {
    const row = await engine.api<{ raw_body: string; headers: [string, string][]; event: string }>(
      'GET',
      `/deliveries/${id}`,
    );
    const name = row.headers.find(([header]) => header.toLowerCase() === 'x-name')?.[1] ?? '';
    await page.evaluate((hash) => (window.location.hash = hash), `#/deliveries/${id}`);
    await ui.tab('Headers');
    await expect(ui.panel.getByRole('row', { name: /x-name/i })).toContainText(name);
    await ui.tab('Body');
    await expect(page.getByTestId('body-said')).toContainText('byte');
    if (name.startsWith('n_')) await expect(page.getByTestId('body-said'), name).toContainText('not valid JSON');
    if (name.startsWith('y_')) await expect(page.getByTestId('body-said'), name).toContainText('Formatted view');
  }
  expect(await reports()).toEqual([]);
});

test('JSON nested a million deep does not stop the window', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Deep');
  const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
  await engine.send(endpoint, deep, { 'X-Event-Type': 'deep.closed' });
  await engine.send(endpoint, '['.repeat(1_000_000), { 'X-Event-Type': 'deep.open' });
  await engine.send(endpoint, '{"a":'.repeat(1_000_000), { 'X-Event-Type': 'deep.large' });
  for (const name of ['deep.closed', 'deep.open', 'deep.large']) {
    await ui.row(name).click();
    await ui.tab('Body');
    await expect(page.getByTestId('body-said')).toContainText('000 bytes');
    await expect(ui.panel.getByTestId(name === 'deep.large' ? 'body-lines' : 'body-text')).toBeVisible();
    const began = Date.now();
    await ui.tab('Overview');
    await expect(page.getByTestId('verdict')).toBeVisible();
    expect(Date.now() - began).toBeLessThan(5_000);
  }
});

/** Sends a request as bytes, as a sender that keeps to no rule would. */
function sendRaw(endpoint: Endpoint, head: string, body: string): Promise<string> {
  const url = new URL(endpoint.ingress_url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => {
      const length = Buffer.byteLength(body);
      const first = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nContent-Length: ${length}`;
      socket.end(`${first}\r\n${head}\r\n\r\n${body}`);
    });
    let answer = '';
    socket.on('data', (piece) => (answer += String(piece)));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

test('header values outside ASCII are text with their marks', async ({ ui, engine }) => {
  const endpoint = await engine.endpoint('Heads');
  const answer = await sendRaw(endpoint, `X-Event-Type: odd.head\r\nX-Text: é \u202e<b>\u200b`, '{}');
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  await ui.row('odd.head').click();
  await ui.tab('Headers');
  const row = ui.panel.getByRole('row', { name: /x-text/i });
  await expect(row).toContainText('<b>');
  await expect(row.getByTitle('right-to-left override U+202E')).toBeVisible();
  await expect(row.getByTitle('zero-width space U+200B')).toBeVisible();
});
