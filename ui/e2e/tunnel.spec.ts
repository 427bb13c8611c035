import type { Page } from '@playwright/test';
import { Cable } from './engine';
import { expect, test, Window } from './fixtures';
import { Program } from './tunnelProgram';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

/** Longest wait for a program to start, or to be started again, in milliseconds. */
const START_MS_MAX = 30_000;

const state = (page: Page) => page.getByRole('status', { name: 'State of the tunnel' });
const log = (page: Page) => page.getByRole('region', { name: 'Log of the tunnel' });
const question = (page: Page) => page.getByRole('dialog', { name: 'Open your endpoints to the internet?' });
const startButton = (page: Page) => page.getByRole('button', { name: 'Start tunnel', exact: true });
const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

async function choose(ui: Window, program: Program) {
  const { page } = ui;
  await page.getByRole('radio', { name: /^Custom command/ }).check();
  await page.getByLabel('Command', { exact: true }).fill(program.path);
  await page.getByLabel('URL pattern (optional)').fill(program.start.options.url_pattern);
}

test('a tunnel asks first, proves itself, gives every endpoint a public URL, and ends when it is stopped', async ({
  ui,
  engine,
}) => {
  const { page } = ui;
  const shop = await engine.endpoint('Shop');
  const { host } = new URL(engine.run.ingress_url);
  const program = new Program(engine, `http://localhost:${new URL(engine.run.ingress_url).port}`);
  const publicUrl = `http://localhost:${new URL(engine.run.ingress_url).port}`;

  await page.getByRole('button', { name: 'Local only. Start tunnel' }).click();
  await expect(page.getByRole('heading', { name: 'Tunnel', level: 1 })).toBeVisible();
  await expect(state(page)).toContainText('Stopped');
  await page.getByRole('radio', { name: /^Custom command/ }).check();
  await startButton(page).click();
  await expect(page.getByRole('alert').filter({ hasText: 'Command is needed.' })).toBeVisible();
  await expect(page.getByLabel('Command', { exact: true }), 'what is missing is where the focus is').toBeFocused();
  await choose(ui, program);
  await startButton(page).click();
  await expect(question(page)).toContainText('endpoint');
  await question(page).getByRole('button', { name: 'Cancel' }).click();
  expect(await engine.api('GET', '/tunnel'), 'nothing starts unasked').toMatchObject({ status: 'stopped' });
  await startButton(page).click();
  await question(page).getByRole('button', { name: 'Start tunnel' }).click();

  await expect(state(page)).toContainText('Ready');
  await expect(state(page)).toContainText(/reachable, \d+ ms/);
  await expect(page.getByRole('list', { name: 'Way of the last check' })).toContainText('ingress: passed');
  await page.getByRole('group', { name: 'Public URL of this machine' }).getByRole('button').click();
  expect(await copied(page)).toBe(publicUrl);
  await page.getByRole('button', { name: 'Copy public URL of Shop' }).click();
  expect(await copied(page)).toBe(`${publicUrl}/in/${shop.token}`);
  await expect(log(page)).toContainText('connected to the edge');

  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByRole('status', { name: 'Last check' })).toContainText(/Reachable, \d+ ms/);
  await ui.go('Deliveries');
  const chip = page.getByRole('button', { name: /^Tunnel: Ready/ });
  await expect(chip).toBeVisible();
  const url = page.getByRole('button', { name: 'Copy ingress URL of Shop' });
  await expect(url).toContainText(`localhost:${new URL(engine.run.ingress_url).port}/in/••••`);
  await url.click();
  expect(await copied(page)).toBe(`${publicUrl}/in/${shop.token}`);
  expect(await ui.document(), 'the URL is a credential').not.toContain(shop.token);

  await fetch(`${publicUrl}/in/${shop.token}`, { method: 'POST', body: '{"event":"order.paid"}' });
  await ui.row('order.paid').click();
  await ui.tab('Overview');
  await expect(ui.panel).toContainText(`${publicUrl}/in/••••••••••••`);
  expect(await ui.document()).not.toContain(shop.token);
  await ui.go('Endpoints');
  await expect(page.getByText('It goes through Custom command (ready')).toBeVisible();

  await page.getByRole('button', { name: 'Pause list' }).focus();
  await page.keyboard.press('t');
  await page.getByRole('button', { name: 'Stop tunnel' }).click();
  await expect(state(page)).toContainText('Stopped');
  await expect(page.getByRole('button', { name: 'Local only. Start tunnel' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Copy ingress URL of Shop' })).toContainText(host);
  await expect.poll(() => alive(program.pid), { message: 'the program is gone' }).toBe(false);

  await expect(page.getByLabel('Command', { exact: true }), 'what was typed is remembered').toHaveValue(program.path);
  await startButton(page).click();
  await expect(state(page), 'it is asked once').toContainText('Ready');
  await expect(question(page)).toHaveCount(0);
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a program that dies is said on every screen and started again; a changed URL stays until it is acknowledged', async ({
  ui,
  engine,
}) => {
  test.slow();
  const { page } = ui;
  const shop = await engine.endpoint('Shop');
  await engine.endpoint('On its own', { public_url_override: 'https://hooks.example.com' });
  const program = new Program(engine);
  await engine.api('POST', '/tunnel', program.start);
  await expect(page.getByRole('button', { name: /^Tunnel: Ready/ })).toBeVisible();
  const first = program.pid;
  const changed = `http://localhost:${new URL(engine.run.ingress_url).port}`;
  program.url(changed);
  process.kill(first, 'SIGKILL');

  await expect(page.getByRole('button', { name: /^Tunnel: (Restarting|Starting|Connecting|Ready)/ })).toBeVisible();
  const bar = page.getByRole('region', { name: /^The public URL changed/ });
  await expect(bar).toBeVisible({ timeout: START_MS_MAX });
  expect(program.pid).not.toBe(first);
  const affected = bar.getByRole('list', { name: 'Endpoints with the old URL' });
  await expect(affected).toContainText('Shop');
  await expect(affected, 'its URL is the same').not.toContainText('On its own');
  await bar.getByRole('button', { name: 'Copy new URL of Shop' }).click();
  expect(await copied(page)).toBe(`${changed}/in/${shop.token}`);
  expect(await ui.document()).not.toContain(shop.token);

  await ui.go('Settings');
  await expect(bar).toBeVisible();
  await page.reload();
  await ui.live();
  await expect(bar, 'it stays').toBeVisible();
  await ui.go('Tunnel');
  await expect(page.getByText(/restarted once/)).toBeVisible();
  await expect(log(page)).toContainText('the program ended');
  await bar.getByRole('button', { name: 'It is updated' }).click();
  await expect(bar).toBeHidden();
  await page.reload();
  await ui.live();
  await expect(state(page)).toContainText('Ready');
  await expect(bar).toBeHidden();
});

test('a tunnel that carries nothing says where it breaks, on every screen', async ({ ui, engine }) => {
  test.slow();
  const { page } = ui;
  await engine.endpoint('Shop');
  await engine.endpoint('Other');
  const program = new Program(engine, 'http://127.0.0.1:1');
  await ui.go('Tunnel');
  await choose(ui, program);
  await startButton(page).click();
  await question(page).getByRole('button', { name: 'Start tunnel' }).click();
  await expect(state(page), 'two proofs failed').toContainText('Degraded', { timeout: START_MS_MAX });
  await expect(page.getByRole('list', { name: 'Way of the last check' })).toContainText('Tunnel: broke here');
  await expect(page.getByRole('list', { name: 'Way of the last check' })).toContainText('ingress: not reached');
  await ui.go('Deliveries');
  const banner = page.getByRole('status', { name: 'Trouble with the tunnel' });
  await expect(banner).toContainText('The tunnel does not carry requests.');
  await banner.getByRole('button', { name: 'Open tunnel' }).click();
  await expect(banner).toBeHidden();
  await page.getByRole('button', { name: 'Stop tunnel' }).click();
  await expect(state(page)).toContainText('Stopped');
});

test('what the engine does not take is said at its field', async ({ ui, engine, tolerated }) => {
  tolerated.patterns.push(/422/);
  const { page } = ui;
  await engine.endpoint('Shop');
  await ui.go('Tunnel');
  await page.getByRole('radio', { name: /^Custom command/ }).check();
  await page.getByLabel('Command', { exact: true }).fill('/nowhere/such-a-tunnel');
  await page.getByLabel('URL pattern (optional)').fill('(unclosed');
  await startButton(page).click();
  await question(page).getByRole('button', { name: 'Start tunnel' }).click();
  await expect(question(page)).toBeHidden();
  const pattern = page.getByLabel('URL pattern (optional)');
  const command = page.getByLabel('Command', { exact: true });
  await expect(pattern.or(command).and(page.locator('[aria-invalid=true]'))).toHaveCount(1);
  expect(await engine.api('GET', '/tunnel')).toMatchObject({ status: 'stopped' });
});

test('hostile lines of a log are text, and so are their control characters', async ({ ui, engine }) => {
  const { page } = ui;
  const shop = await engine.endpoint('Shop');
  const program = new Program(engine);
  const hostile = [
    '<img src=x onerror="alert(1)"><script>alert(2)</script>',
    '\u202egnirts desrever\u202c',
    '\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007',
    `GET /in/${shop.token} 200`,
    'x'.repeat(20_000),
  ];
  program.says(Buffer.concat([Buffer.from(hostile.join('\n')), Buffer.from([0x0a, 0xff, 0xfe, 0x41])]));
  await engine.api('POST', '/tunnel', program.start);
  await ui.go('Tunnel');
  await expect(log(page)).toContainText('<img src=x onerror="alert(1)"><script>alert(2)</script>');
  await expect(log(page).locator('img, script, a')).toHaveCount(0);
  await expect(log(page)).toContainText('red');
  expect(await ui.document(), 'no escape sequence is left').not.toContain('\u001b');
  expect(await ui.document(), 'a token in a log is masked').not.toContain(shop.token);
  expect(await log(page).evaluate((node) => node.scrollWidth - node.clientWidth)).toBeLessThanOrEqual(0);
});

test('the log follows its end until one scrolls up, and follows again when asked', async ({ ui, engine }) => {
  const { page } = ui;
  const program = new Program(engine);
  program.says(Array.from({ length: 300 }, (_, n) => `line ${n}`).join('\n'));
  await engine.api('POST', '/tunnel', program.start);
  await ui.go('Tunnel');
  await expect(log(page).getByText('line 299', { exact: true })).toBeInViewport();
  await expect(log(page).getByText('line 1', { exact: true }), 'the last 200 lines').toHaveCount(0);
  await log(page).evaluate((node) => (node.scrollTop = 0));
  await page.getByRole('button', { name: 'Follow', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Follow', exact: true })).toBeHidden();
  await expect(log(page).getByText(/^forwarding to you/)).toBeInViewport();
});

test.describe('the first run', () => {
  /** As bore 0.6 says it, and leading to the ingress itself: `bore local PORT --local-host HOST --to SERVER`. */
  const bore = 'echo "INFO bore_cli::client: listening at 127.0.0.1:$2"; exec sleep 600';
  test.use({ untouched: true, programs: { bore } });

  test('starts a tunnel that needs nothing, and then gives the public URL', async ({ ui }) => {
    const { page } = ui;
    await expect(page.getByRole('heading', { name: 'Waiting for the first delivery' })).toBeVisible();
    await page.getByRole('combobox', { name: 'Tunnel program' }).selectOption('bore');
    await startButton(page).click();
    await question(page).getByRole('button', { name: 'Start tunnel' }).click();
    await expect(state(page)).toContainText('bore: ready');
    await expect(page.getByRole('group', { name: 'public URL' })).toContainText('/in/••••');
    await page.getByRole('link', { name: 'Open tunnel' }).click();
    await expect(state(page)).toContainText('Ready');
  });
});

test.describe('a program that gives up', () => {
  const refused = 'echo "ssh: connect to host me.example port 22: Connection refused" >&2; exit 255';
  test.use({ programs: { ssh: `[ "$1" = -V ] && { echo "OpenSSH_9.9p9 Test" >&2; exit 0; }; ${refused}` } });

  test('is told with its reason and what to do, and started again without typing', async ({ ui, engine }) => {
    const { page } = ui;
    await engine.endpoint('Shop');
    await ui.go('Tunnel');
    const own = page.getByRole('radio', { name: 'Your own server (ssh) supported ssh version 9.9p9' });
    await own.check();
    await page.getByLabel('Server', { exact: true }).fill('me@me.example');
    await page.getByLabel('Public URL', { exact: true }).fill('http://me.example:{port}');
    await startButton(page).click();
    await question(page).getByRole('button', { name: 'Start tunnel' }).click();
    await expect(state(page)).toContainText('Failed');
    await expect(page.getByText('The ssh server does not answer.', { exact: true })).toBeVisible();
    await expect(page.getByText('Check host and port, and that the server runs.')).toBeVisible();
    await expect(log(page)).toContainText('Connection refused');
    await ui.go('Deliveries');
    await expect(page.getByRole('status', { name: 'Trouble with the tunnel' })).toContainText('The tunnel has ended.');
    await page.getByRole('button', { name: /^Tunnel: Failed/ }).click();
    await page.reload();
    await ui.live();
    const asked = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url().endsWith('/api/tunnel'),
    );
    await page.getByRole('button', { name: 'Start again' }).click();
    expect((await asked).postDataJSON()).toEqual({
      provider: 'ssh',
      options: { destination: 'me@me.example', public_url: 'http://me.example:{port}' },
    });
    await expect(state(page)).toContainText('Failed');
  });
});

test.describe('a program that adds headers', () => {
  /** As ngrok's log says it; its URL leads nowhere, which the proof of life says. */
  const lines = ['{"msg":"client session established"}', '{"msg":"started tunnel","url":"https://127.0.0.1:1"}'];
  test.use({ programs: { ngrok: `echo '${lines.join('\n')}'; exec sleep 600` } });

  test('has them shown apart, and says who the sender is; its token is not kept', async ({ ui, engine }) => {
    const { page } = ui;
    const shop = await engine.endpoint('Shop');
    await ui.go('Tunnel');
    await page.getByRole('radio', { name: 'ngrok' }).check();
    await expect(page.getByText('Not tried yet')).toBeVisible();
    await page.getByLabel('Authtoken (optional)').fill('canary-of-a-token');
    await startButton(page).click();
    await question(page).getByRole('button', { name: 'Start tunnel' }).click();
    await expect(state(page)).toContainText(/Ready|Degraded/);
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(kept + (await ui.document()), 'a secret is typed anew').not.toContain('canary-of-a-token');

    await engine.send(shop, '{"event":"through"}', { 'X-Forwarded-For': '192.0.2.1, 203.0.113.7', 'X-Own': 'mine' });
    await ui.go('Deliveries');
    await ui.row('through').click();
    await ui.tab('Overview');
    await expect(ui.panel.getByText('203.0.113.7', { exact: true })).toBeVisible();
    await expect(ui.panel.getByText('from X-Forwarded-For')).toBeVisible();
    await ui.tab('Headers');
    const added = ui.panel.getByRole('table', { name: 'Headers added by the tunnel' });
    await expect(added).toContainText('192.0.2.1, 203.0.113.7');
    await expect(added).not.toContainText('mine');
    await expect(ui.panel.getByRole('table', { name: 'Request headers' })).toContainText('mine');
    await expect(ui.panel.getByRole('table', { name: 'Request headers' })).not.toContainText('203.0.113.7');
  });
});

test('what happens to the tunnel while the engine is out of reach is there when it is back', async ({
  page,
  engine,
}) => {
  const cable = new Cable(engine);
  await cable.mend();
  await page.goto(cable.link);
  const ui = new Window(page);
  await ui.live();
  await engine.endpoint('Shop');
  await engine.api('POST', '/tunnel', new Program(engine).start);
  await ui.go('Tunnel');
  await expect(state(page)).toContainText('reachable');
  await cable.cut();
  await expect(page.getByTestId('connection')).toHaveText('Disconnected');
  await expect(state(page), 'as of the last contact').toContainText('Ready');
  await page.getByRole('button', { name: 'Stop tunnel' }).click();
  await expect(page.getByText('Creel does not answer').last()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Stop tunnel' })).toBeEnabled();
  await engine.api('DELETE', '/tunnel');
  await cable.mend();
  await ui.live();
  await expect(state(page)).toContainText('Stopped');
  await expect(page.getByRole('radiogroup', { name: 'Tunnel program' })).toBeVisible();
  await cable.cut();
});
