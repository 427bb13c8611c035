import { expect, test } from './fixtures';

test('filters narrow the list and say how many match', async ({ ui, engine }) => {
  const { page } = ui;
  const one = await engine.endpoint('One');
  const two = await engine.endpoint('Two', { enabled: false });
  await engine.send(one, '{"event":"alpha"}');
  await engine.send(one, '{"event":"beta"}');
  await engine.send(two, '{"event":"gamma"}');
  await expect(ui.rows).toHaveCount(3);

  await page.getByRole('searchbox').fill('ALPH');
  await expect(ui.rows).toHaveCount(1);
  await expect(page.getByTestId('total')).toHaveText('1 match');
  await engine.send(one, '{"event":"alphabet"}');
  await engine.send(one, '{"event":"delta"}');
  await expect(ui.rows).toHaveCount(2);
  await page.getByRole('searchbox').fill('nothing like it');
  await expect(page.getByRole('heading', { name: 'No delivery matches' })).toBeVisible();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await expect(ui.rows).toHaveCount(5);

  await page.getByRole('combobox', { name: 'Endpoint' }).selectOption({ label: 'Two' });
  await expect(ui.rows).toHaveCount(1);
  await page.getByRole('combobox', { name: 'Endpoint' }).selectOption('');
  await page.getByRole('combobox', { name: 'Status' }).selectOption('ignored');
  await expect(ui.rows).toHaveCount(1);
  await expect(ui.rows.first()).toContainText('gamma');
  await page.getByRole('combobox', { name: 'Status' }).selectOption('');
  await page.getByRole('combobox', { name: 'Signature' }).selectOption('valid');
  await expect(page.getByTestId('total')).toHaveText('0 matches');
});

test('a deleted delivery leaves the list, and its place says so', async ({ ui, engine, tolerated }) => {
  const endpoint = await engine.endpoint('Gone');
  await engine.send(endpoint, '{"event":"stays"}');
  await engine.send(endpoint, '{"event":"goes"}');
  await ui.row('goes').click();
  await expect(ui.page.getByTestId('verdict')).toBeVisible();
  const address = ui.page.url();
  await ui.detail.getByRole('button', { name: 'Delete' }).click();
  await ui.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(ui.rows).toHaveCount(1);
  await expect(ui.page.getByTestId('total')).toHaveText('1 delivery');

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
  await expect(page.getByRole('searchbox')).toBeFocused();
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
