import { expect, test } from './fixtures';
import { signature } from './engine';

const FIELD = { name: 'Filter deliveries' } as const;

test('filters narrow the list, say how many match, and stay over a reload', async ({ ui, engine }) => {
  const { page } = ui;
  const one = await engine.endpoint('One');
  const two = await engine.endpoint('Two', { enabled: false });
  await engine.send(one, '{"event":"alpha"}');
  await engine.send(one, '{"event":"beta"}');
  await engine.send(two, '{"event":"gamma"}');
  await expect(ui.rows).toHaveCount(3);

  const field = page.getByRole('combobox', FIELD);
  await field.fill('ALPH');
  await expect(ui.rows).toHaveCount(1);
  await expect(page.getByTestId('total')).toHaveText('1 of 3 match');
  await engine.send(one, '{"event":"alphabet"}');
  await engine.send(one, '{"event":"delta"}');
  await expect(ui.rows).toHaveCount(2);
  await field.fill('nothing like it');
  await expect(page.getByRole('heading', { name: 'No delivery matches' })).toBeVisible();
  await expect(page.getByText('0 of 5 match. New')).toBeVisible();
  await page.getByRole('button', { name: 'Remove Contains: nothing like it' }).click();
  await expect(ui.rows).toHaveCount(5);

  await field.fill('ignor');
  await page.getByRole('option', { name: /Status\s+Ignored/ }).click();
  await expect(field).toHaveValue('');
  await expect(ui.rows).toHaveCount(1);
  await expect(ui.rows.first()).toContainText('gamma');
  await page.reload();
  await ui.live();
  await expect(ui.rows).toHaveCount(1);
  expect(page.url()).toContain('status=ignored');
  expect(page.url()).not.toContain(engine.run.admin_token);
  await page.getByRole('button', { name: 'Remove Status: Ignored' }).click();
  await expect(ui.rows).toHaveCount(5);

  // By keys alone: the first suggestion for an endpoint's name.
  await page.keyboard.press('/');
  await page.keyboard.type('endpoint two');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(ui.rows).toHaveCount(1);
  await page.getByRole('button', { name: 'Clear all' }).click();
  await expect(ui.rows).toHaveCount(5);
});

test('quick filters show what failed and what is not signed as it must be', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Quick', { targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"good"}');
  await engine.quiet();
  app.status = 500;
  await engine.send(endpoint, '{"event":"bad"}');
  await engine.quiet();
  const failed = page.getByRole('button', { name: /^Failed/ });
  await failed.click();
  await expect(failed).toHaveAttribute('aria-pressed', 'true');
  await expect(ui.rows).toHaveCount(1);
  await expect(ui.rows.first()).toContainText('bad');
  await failed.click();
  await expect(ui.rows).toHaveCount(2);
  await page.getByRole('button', { name: 'Unsigned' }).click();
  await expect(page.getByTestId('total')).toHaveText('0 of 2 match');
});

test('quick filters say how many they hold, also as rows come and go', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Counted', { provider: 'github' });
  await engine.api('PUT', `/endpoints/${endpoint.id}/signing-secret`, { signing_secret: 'a-secret-long-enough' });
  const quick = page.getByRole('group', { name: 'Quick filters' });
  await engine.send(endpoint, '{"n":1}');
  await expect(quick.getByRole('button')).toHaveText(['Failed', 'Invalid', 'Unsigned1']);
  for (const n of [2, 3]) await engine.send(endpoint, `{"n":${n}}`, signature('another-secret-0001', `{"n":${n}}`));
  await expect(quick.getByRole('button')).toHaveText(['Failed', 'Invalid2', 'Unsigned1']);
  await quick.getByRole('button', { name: 'Invalid' }).click();
  await expect(page.getByTestId('total')).toHaveText('2 of 3 match');
  const { deliveries } = await engine.api<{ deliveries: { id: string }[] }>(
    'GET',
    '/deliveries?signature_status=invalid',
  );
  await engine.api('DELETE', `/deliveries/${deliveries[0]?.id}`);
  await expect(quick.getByRole('button')).toHaveText(['Failed', 'Invalid1', 'Unsigned1']);
});

test('many are picked, pinned and deleted, and a deletion can be undone', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Many');
  for (const n of [1, 2, 3, 4, 5]) await engine.send(endpoint, `{"event":"e${n}"}`);
  await expect(ui.rows).toHaveCount(5);
  await page.getByRole('grid').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await ui.row('e3').click({ modifiers: ['Shift'] });
  const bar = page.getByRole('toolbar', { name: 'Selected deliveries' });
  await expect(bar).toContainText('3 selected');
  await ui.row('e4').click({ modifiers: ['Control'] });
  await expect(bar).toContainText('2 selected');
  await bar.getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(page.getByRole('row').getByText('pinned', { exact: true })).toHaveCount(2);

  await page.keyboard.press('Delete');
  await expect(ui.rows).toHaveCount(3);
  await expect(page.getByTestId('total')).toHaveText('3 deliveries');
  await expect(page.getByText('2 deliveries deleted')).toBeVisible();
  expect((await engine.api<{ total: number }>('GET', '/deliveries')).total).toBe(5);
  await page.keyboard.press('u');
  await expect(ui.rows).toHaveCount(5);
  await expect(page.getByText('2 deliveries deleted')).toBeHidden();

  await ui.row('e2').click({ modifiers: ['Control'] });
  await page.keyboard.press('Control+a');
  await expect(bar).toContainText('5 selected');
  await page.keyboard.press('Escape');
  await expect(bar).toBeHidden();
  await ui.row('e1').hover();
  await ui.row('e1').getByRole('button', { name: 'Delete' }).click();
  await expect(ui.rows).toHaveCount(4);
  // Leaving the page does not wait for the time to be over.
  await page.reload();
  await expect.poll(async () => (await engine.api<{ total: number }>('GET', '/deliveries')).total).toBe(4);
});

test('replays and repeats say what they belong to', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Links', { duplicate_policy: 'relay', targets: [{ url: app.url }] });
  await engine.send(endpoint, '{"event":"first"}', { 'Idempotency-Key': 'k' });
  await engine.send(endpoint, '{"event":"again"}', { 'Idempotency-Key': 'k' });
  await engine.quiet();
  await expect(ui.rows).toHaveCount(2);
  await ui.row('first').hover();
  await ui.row('first').getByRole('button', { name: 'Replay', exact: true }).click();
  await expect(ui.rows).toHaveCount(3);
  await ui.row('again').getByRole('button', { name: 'Repeat: go to its original' }).click();
  await expect(ui.detail.getByRole('heading', { level: 2 })).toHaveText('first');
  await page.keyboard.press('Escape');
  await ui.rows.first().getByRole('button', { name: 'Replay: go to its original' }).click();
  await expect(ui.detail.getByRole('heading', { level: 2 })).toHaveText('first');
});

test('n and N find the failed ones, wherever they are', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Failing', { targets: [{ url: app.url }] });
  const send = async (event: string, status: number) => {
    app.status = status;
    await engine.send(endpoint, JSON.stringify({ event }));
    await engine.quiet();
  };
  await send('bad.old', 500);
  app.status = 200;
  for (let n = 0; n < 150; n += 1) await engine.send(endpoint, `{"event":"ok.${n}"}`, { 'X-N': String(n) });
  await engine.quiet();
  await send('bad.new', 500);
  await send('ok.last', 200);
  await expect(page.getByTestId('total')).toHaveText('153 deliveries');
  await page.getByRole('grid').focus();
  const current = page.locator('[aria-current=true]');
  await page.keyboard.press('n');
  await expect(current).toContainText('bad.new');
  await page.keyboard.press('n');
  await expect(current).toContainText('bad.old');
  await page.keyboard.press('g');
  await page.keyboard.press('g');
  // A move by hand overtakes what is still being looked for.
  await page.keyboard.press('n');
  await page.keyboard.press('Shift+G');
  await expect(current).toContainText('bad.old');
  await page.keyboard.press('Shift+N');
  await expect(current).not.toContainText('bad.old');
  await page.keyboard.press('g');
  await page.keyboard.press('g');
  await expect(current).toContainText('ok.last');
});

test('a storm of 5,000 loses nothing, and a click on a row answers', async ({ ui, engine }) => {
  test.setTimeout(240_000);
  const { page } = ui;
  const endpoint = await engine.endpoint('Storm');
  let next = 0;
  let clicked = false;
  const sender = async () => {
    for (let n = next++; n < 5_000; n = next++) await engine.send(endpoint, `{"event":"storm.${n}"}`);
  };
  const storm = Promise.all(Array.from({ length: 48 }, sender)).then(() => (clicked = clicked || false));
  await expect(ui.rows.first()).toBeVisible();
  const pressed = page.waitForFunction(() => document.querySelector('[aria-label=Delivery] h2')?.textContent);
  await page.mouse.click(400, 300);
  await pressed;
  clicked = true;
  await page.keyboard.press('Escape');
  await storm;
  await expect(page.getByTestId('total')).toHaveText('5,000 deliveries', { timeout: 30_000 });
  expect((await engine.api<{ total: number }>('GET', '/deliveries')).total).toBe(5_000);
  // Every one of them is in the list, from the newest to the oldest, once.
  const rowCount = await page.getByRole('grid').getAttribute('aria-rowcount');
  expect(rowCount).toBe('5001');
  await page.getByRole('grid').focus();
  await page.keyboard.press('End');
  await expect(page.getByText('The oldest delivery kept')).toBeAttached();
  const oldest = await engine.api<{ deliveries: { event: string }[] }>('GET', '/deliveries?limit=1&skip=4999');
  await expect(page.locator('[aria-rowindex="5001"]')).toContainText(oldest.deliveries[0]?.event ?? '');
});

test('a paused list holds still and counts, and goes on from the newest', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Paused');
  for (let n = 0; n < 40; n += 1) await engine.send(endpoint, `{"event":"old.${n}"}`);
  await expect(page.getByText('old.39', { exact: true })).toBeVisible();
  await page.getByRole('grid').focus();
  await page.keyboard.press('Space');
  const before = await page.getByText('old.39', { exact: true }).boundingBox();
  for (let n = 0; n < 12; n += 1) await engine.send(endpoint, `{"event":"new.${n}"}`);
  await expect(page.getByRole('button', { name: '↑ 12 new' })).toBeVisible();
  expect((await page.getByText('old.39', { exact: true }).boundingBox())?.y).toBe(before?.y);
  await page.keyboard.press('f');
  await expect(page.getByText('new.11', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: /new$/ })).toBeHidden();
});

test('a page that cannot be fetched says so in its place, and is fetched again', async ({ ui, engine, tolerated }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Broken');
  for (let n = 0; n < 300; n += 1) await engine.send(endpoint, `{"event":"e.${n}"}`);
  await expect(page.getByTestId('total')).toHaveText('300 deliveries');
  await page.reload();
  await ui.live();
  tolerated.patterns.push(/ERR_FAILED|Failed to load/);
  await page.route(/\/api\/deliveries\?.*(skip|before)=/, (route) => route.abort());
  const grid = page.getByRole('grid');
  await grid.evaluate((element) => (element.scrollTop = 6_000));
  await expect(page.getByText('Could not be loaded.').first()).toBeVisible();
  await page.unroute(/\/api\/deliveries\?.*(skip|before)=/);
  await page.getByRole('button', { name: 'Try again' }).nth(8).click();
  await expect(page.getByText('e.95', { exact: true })).toBeVisible();
});

test('a deleted delivery leaves the list, and its place says so', async ({ ui, engine, tolerated }) => {
  const endpoint = await engine.endpoint('Gone');
  await engine.send(endpoint, '{"event":"stays"}');
  await engine.send(endpoint, '{"event":"goes"}');
  await ui.row('goes').click();
  await expect(ui.page.getByTestId('verdict')).toBeVisible();
  const address = ui.page.url();
  await ui.detail.getByRole('button', { name: 'Delete' }).click();
  await expect(ui.rows).toHaveCount(1);
  await expect(ui.page.getByTestId('total')).toHaveText('1 delivery');
  await expect(ui.page.getByText('1 delivery deleted')).toBeHidden({ timeout: 15_000 });

  tolerated.patterns.push(/404/);
  await ui.page.goto(address);
  await expect(ui.detail).toContainText('This delivery is not here any more');
});

test('the keyboard does all of it', async ({ ui, engine, app }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Keys', { targets: [{ url: app.url }] });
  for (const name of ['first', 'second', 'third']) await engine.send(endpoint, `{"event":"${name}"}`);
  await expect(ui.rows).toHaveCount(3);
  await page.getByRole('grid').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(ui.detail.getByRole('heading', { level: 2 })).toHaveText('second');
  await page.keyboard.press('j');
  await expect(ui.detail.getByRole('heading', { level: 2 })).toHaveText('first');
  await page.keyboard.press('k');
  await expect(ui.detail.getByRole('heading', { level: 2 })).toHaveText('second');
  await page.keyboard.press('r');
  await expect(ui.rows).toHaveCount(4);
  await page.keyboard.press('Escape');
  await expect(ui.detail).toBeHidden();
  await page.keyboard.press('/');
  await expect(page.getByRole('combobox', FIELD)).toBeFocused();
});

test('what the reader looks at holds still while new deliveries come in', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Many');
  for (let n = 0; n < 150; n += 1) await engine.send(endpoint, `{"event":"old.${n}"}`);
  await expect(page.getByTestId('total')).toHaveText('150 deliveries');
  const grid = page.getByRole('grid');
  await grid.evaluate((element) => (element.scrollTop = 1500));
  const seen = page.getByText('old.95', { exact: true });
  await expect(seen).toBeVisible();
  const before = await seen.boundingBox();
  for (let n = 0; n < 20; n += 1) await engine.send(endpoint, `{"event":"new.${n}"}`);
  await expect(page.getByRole('button', { name: '↑ 20 new' })).toBeVisible();
  expect((await seen.boundingBox())?.y).toBe(before?.y);
  await grid.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await expect(page.getByText('old.0', { exact: true })).toBeVisible();
  await expect(page.getByText('The oldest delivery kept')).toBeVisible();
  await page.getByRole('button', { name: /new$/ }).click();
  await expect(page.getByText('new.19', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: /new$/ })).toBeHidden();
});

test('refusals are visible as they happen', async ({ ui, engine }) => {
  await ui.go('Refusals');
  await expect(ui.page.getByRole('heading', { name: 'Nothing was refused' })).toBeVisible();
  await fetch(`${engine.run.ingress_url}/in/ep_${'x'.repeat(43)}`, { method: 'POST', body: '{}' });
  await expect(ui.page.getByText('The path names no endpoint.')).toBeVisible();
  const endpoint = await engine.endpoint('Strict', { body_policy: 'json' });
  await fetch(endpoint.ingress_url, { method: 'POST', body: 'no json' });
  await expect(ui.page.getByRole('row', { name: /no JSON/ })).toContainText('Strict');
  expect(await ui.document()).not.toContain(endpoint.token);
});
