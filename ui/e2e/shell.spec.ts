import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';

const chip = (page: Page) => page.getByRole('button', { name: /^Target: / });

/** Controls that reach beyond the window, where nobody can scroll to. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls = [...document.querySelectorAll<HTMLElement>('button, input, select, a[href], [role="separator"]')];
    return controls
      .filter((element) => !element.closest('.visually-hidden, .skip, [role="grid"], [role="tablist"]'))
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return left < -1 || right > window.innerWidth + 1;
      })
      .map((element) => element.textContent + ' ' + element.outerHTML.slice(0, 160));
  });
}

async function fits(page: Page, where: string) {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(sideways, `${where}: no horizontal scroll`).toBeLessThanOrEqual(0);
  expect(await cutOff(page), `${where}: nothing is cut off`).toEqual([]);
}

test('the switcher decides whose deliveries are shown, and whose URL can be copied while masked', async ({
  ui,
  engine,
  context,
}) => {
  const { page } = ui;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const one = await engine.endpoint('One');
  await expect(page.getByRole('button', { name: 'Copy ingress URL of One' })).toBeVisible();
  const two = await engine.endpoint('Two');
  await engine.send(one, '{"event":"alpha"}');
  await engine.send(two, '{"event":"beta"}');
  await expect(ui.rows).toHaveCount(2);

  await page.getByRole('button', { name: 'Endpoint: All endpoints' }).click();
  await page.getByRole('menuitemradio', { name: 'Two' }).click();
  await expect(ui.rows).toHaveCount(1);
  await expect(ui.rows.first()).toContainText('beta');
  await page.getByRole('button', { name: 'Copy ingress URL of Two' }).click();
  await expect(page.getByText('URL copied')).toBeAttached();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(two.ingress_url);
  expect(await ui.document()).not.toContain(two.token);

  // Elsewhere it leads to the deliveries of the endpoint; and it is worked by keys alone.
  await ui.go('Refusals');
  await page.getByRole('button', { name: 'Endpoint: Two', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitemradio', { name: /All endpoints/ })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Endpoint: One', exact: true })).toBeVisible();
  await expect(ui.rows.first()).toContainText('alpha');
});

test('the target’s chip says how the app answered last, and one banner says that it is down', async ({
  ui,
  engine,
  app,
}) => {
  const { page } = ui;
  const url = app.url;
  const endpoint = await engine.endpoint('Shop', { targets: [{ url }] });
  await expect(chip(page)).toHaveAccessibleName(/not tried yet/);
  await engine.send(endpoint, '{"event":"works"}');
  await expect(chip(page)).toHaveAccessibleName(/reachable, (<1|\d+) ms/);
  app.status = 500;
  await engine.send(endpoint, '{"event":"breaks"}');
  await expect(chip(page)).toHaveAccessibleName(/answers 500/);
  await app.stop();
  for (const n of [1, 2, 3]) await engine.send(endpoint, `{"event":"lost.${n}"}`);
  await expect(chip(page)).toHaveAccessibleName(/refused/);
  const banner = page.getByText(/^Nothing answers on 127/);
  await expect(banner).toHaveCount(1);

  // What was known is known after a reload, without a new delivery.
  await page.reload();
  await ui.live();
  await expect(chip(page)).toHaveAccessibleName(/refused/);
  await expect(banner).toBeVisible();
  await page.getByRole('button', { name: 'Show failed' }).click();
  await expect(ui.rows).toHaveCount(4);
  await page.getByRole('button', { name: 'Dismiss' }).first().click();
  await expect(banner).toBeHidden();

  await chip(page).click();
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue('Shop');
});

test('the status line tells what is stored, how fast, and that nothing was dropped', async ({ ui, engine }) => {
  const status = ui.page.getByRole('contentinfo', { name: 'Status' });
  const endpoint = await engine.endpoint('Counted');
  for (const n of [1, 2, 3]) await engine.send(endpoint, `{"n":${n}}`);
  await expect(status).toContainText('3 stored');
  await expect(status).toContainText(/\d+\.\d\/s/);
  await expect(status).toContainText(/KiB|MiB/);
  await expect(status).toContainText('0 dropped');
  await expect(status).toContainText(/Creel \d+\.\d+\.\d+/);
  await ui.page.getByRole('button', { name: 'Pause list' }).click();
  await expect(status).toContainText('List paused');
  await ui.page.getByRole('button', { name: 'Paused' }).click();
  await expect(status).not.toContainText('List paused');
});

test('the split is moved by keys, remembered, and stands upright where there is no room', async ({ ui, engine }) => {
  const { page } = ui;
  const endpoint = await engine.endpoint('Split');
  await engine.send(endpoint, '{"event":"one"}');
  await ui.rows.first().click();
  const handle = page.getByRole('separator');
  await expect(handle).toHaveAttribute('aria-orientation', 'vertical');
  const before = Number(await handle.getAttribute('aria-valuenow'));
  const width = async () => (await page.getByRole('grid').boundingBox())?.width ?? 0;
  const wide = await width();
  await handle.focus();
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowLeft');
  await expect(handle).toHaveAttribute('aria-valuenow', String(before - 6));
  expect(await width()).toBeLessThan(wide);
  await page.reload();
  await expect(handle).toHaveAttribute('aria-valuenow', String(before - 6));

  await page.setViewportSize({ width: 899, height: 700 });
  await expect(handle).toHaveAttribute('aria-orientation', 'horizontal');
  const list = await page.getByRole('grid').boundingBox();
  const detail = await ui.detail.boundingBox();
  expect(detail?.y).toBeGreaterThanOrEqual((list?.y ?? 0) + (list?.height ?? 0));
  await handle.focus();
  await page.keyboard.press('End');
  await expect(handle).toHaveAttribute('aria-valuenow', '75');
  await page.setViewportSize({ width: 900, height: 700 });
  await expect(handle).toHaveAttribute('aria-orientation', 'vertical');
});

for (const { width, zoom } of [
  { width: 900, zoom: 100 },
  { width: 900, zoom: 200 },
  { width: 1280, zoom: 200 },
]) {
  test(`at ${width} pixels and ${zoom} % nothing scrolls sideways and nothing is cut off`, async ({
    ui,
    engine,
    app,
  }) => {
    const { page } = ui;
    await page.setViewportSize({ width, height: 700 });
    const endpoint = await engine.endpoint('A name that is rather long for an endpoint', {
      targets: [{ url: app.url }],
    });
    await engine.endpoint('Another', { targets: [{ url: 'http://127.0.0.1:9/' }] });
    await engine.send(endpoint, '{"event":"one"}');
    await fetch(`${engine.run.ingress_url}/in/nobody`, { method: 'POST' });
    for (let at = 100; at < zoom; at += 1) {
      const now = await page.evaluate(() => document.documentElement.style.fontSize);
      if (now === `${zoom}%`) break;
      await page.keyboard.press('Control+Equal');
    }
    await expect(ui.rows).toHaveCount(1);
    await fits(page, 'list');
    for (const screen of ['Endpoints', 'Tunnel', 'Refusals', 'Settings'] as const) {
      await page.getByRole('main').evaluate((main) => (main.scrollTop = 400));
      await ui.go(screen);
      const main = page.getByRole('main', { name: screen });
      await expect(main).toBeVisible();
      await expect.poll(() => main.evaluate((element) => element.scrollTop), 'a screen opens at its top').toBe(0);
      await fits(page, screen);
    }
    await page.keyboard.press('Control+k');
    await fits(page, 'palette');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
    await fits(page, 'overlay');
  });
}
