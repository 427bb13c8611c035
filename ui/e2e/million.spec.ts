import { expect, test } from '@playwright/test';
import { startFirefox } from './firefox';
import { serveHarness } from './harness/serve';
import { goThroughAMillion } from './million';

let harness: Awaited<ReturnType<typeof serveHarness>>;
test.beforeAll(async () => {
  harness = await serveHarness();
});
test.afterAll(() => harness.close());

test('the list holds a million rows in Chromium', async ({ page }) => {
  await page.goto(harness.url);
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '1000001');
  await goThroughAMillion({ evaluate: (run, argument) => page.evaluate(run as never, argument as never) });
});

test('the list holds a million rows in Firefox', async () => {
  const firefox = await startFirefox();
  try {
    const page = await firefox.newPage();
    await page.goto(harness.url);
    await page.waitForSelector('[role=gridcell]');
    await goThroughAMillion({ evaluate: (run, argument) => page.evaluate(run as never, argument as never) as never });
  } finally {
    await firefox.close();
  }
});
