import { expect, test } from './fixtures';
import { startFirefox } from './firefox';

test('the list is whole in Firefox, from the newest to the oldest', async ({ engine }) => {
  test.setTimeout(120_000);
  const endpoint = await engine.endpoint('Firefox');
  for (let n = 0; n < 400; n += 1) await engine.send(endpoint, `{"event":"row.${n}"}`);
  const firefox = await startFirefox();
  try {
    const page = await firefox.newPage();
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(String(error)));
    await page.goto(engine.link);
    await page.waitForSelector('[role=gridcell]');
    const texts = () =>
      page.$$eval('[role=grid] [role=row] bdi.name', (cells) => cells.map((cell) => cell.textContent ?? ''));
    await expect.poll(async () => (await texts())[0]).toBe('row.399');
    await page.focus('[role=grid]');
    await page.keyboard.press('End');
    await expect.poll(async () => (await texts()).at(-1)).toBe('row.0');
    await page.$eval('[role=grid]', (grid) => (grid.scrollTop = 200 * 30));
    await expect.poll(async () => (await texts()).includes('row.195')).toBe(true);
    await engine.send(endpoint, '{"event":"row.new"}');
    await page.waitForFunction(() =>
      [...document.querySelectorAll('button')].some((button) => button.textContent === '↑ 1 new'),
    );
    expect(await texts()).toContain('row.195');
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await expect.poll(async () => (await texts())[0]).toBe('row.new');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[aria-label=Delivery] h2');
    expect(troubles).toEqual([]);
  } finally {
    await firefox.close();
  }
});
