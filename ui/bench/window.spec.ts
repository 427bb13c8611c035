import { expect, test as base, type Page } from '@playwright/test';
import { Engine } from '../e2e/engine';
import { Window } from '../e2e/fixtures';
import { ms, percentile, spread, tell } from './figures';
import { endOfWatch, watch } from './frames';
import { steadily, storm } from './sender';

/** A data directory with a long history; it is only read. */
const FILLED = process.env.CREEL_FILLED;
/** As many bytes as the engine takes by default. */
const BODY_BYTES_MAX = 27_262_976;

const test = base.extend<{ engine: Engine }>({
  // eslint-disable-next-line no-empty-pattern
  engine: async ({}, use) => {
    const engine = new Engine();
    await engine.start();
    await use(engine);
    await engine.dispose();
  },
});

async function open(page: Page, engine: Engine): Promise<Window> {
  await page.addInitScript(() => location.protocol === 'http:' && localStorage.setItem('creel.first-endpoint', 'made'));
  await page.goto(engine.link);
  const ui = new Window(page);
  await ui.live();
  return ui;
}

const bodies = (many: number, name: string) =>
  Array.from({ length: many }, (_, number) =>
    JSON.stringify({ event: `${name}.${number}`, data: { text: 'x'.repeat(1_900) } }),
  );

test('a row at 100 posts a second', async ({ page, engine }) => {
  const endpoint = await engine.endpoint('Bench');
  await engine.send(endpoint, '{"event":"first"}');
  const ui = await open(page, engine);
  await ui.row('first').waitFor();
  await steadily(endpoint.ingress_url, bodies(100, 'warm'), 100);
  await watch(page, 'row.');
  const posted = await steadily(endpoint.ingress_url, bodies(1_000, 'row'), 100);
  await ui.row('row.999').waitFor();
  const { seen, frames } = await endOfWatch(page);
  const at = posted.map(({ sent, accepted }, number) => ({ sent, accepted, seen: seen[`row.${number}`] ?? Infinity }));
  const from = (which: 'sent' | 'accepted') => at.map((one) => Math.max(0, one.seen - one[which]));
  const accepted = from('accepted');
  tell('accepted to row visible, 100/s', spread(accepted), {
    text: 'p99 ≤ 100 ms',
    reached: percentile(accepted, 99) <= 100,
  });
  tell('sent to row visible, 100/s', spread(from('sent')));
  tell('frames meanwhile', spread(frames));
});

test('a storm of 5,000 posts', async ({ page, engine }) => {
  const endpoint = await engine.endpoint('Bench');
  await engine.send(endpoint, '{"event":"first"}');
  const ui = await open(page, engine);
  await ui.row('first').waitFor();
  await watch(page, 'storm.');
  const { took, accepted, refused } = await storm(endpoint.ingress_url, bodies(5_000, 'storm'));
  const ended = performance.now();
  await expect(page.getByTestId('total')).toHaveText('5,001 deliveries', { timeout: 60_000 });
  const behind = performance.now() - ended;
  const { late, frames } = await endOfWatch(page);
  const { total } = await engine.api<{ total: number }>('GET', '/deliveries?limit=1');
  const lost = 5_001 - total;
  tell('5,000 posts with the window open', `taken in ${ms(took)}, ${refused} refused`);
  tell('lost', `${lost} of ${accepted} accepted`, { text: '0', reached: lost === 0 && refused === 0 });
  tell('the window answers within', spread(late), { text: '≤ 200 ms', reached: percentile(late, 100) <= 200 });
  tell('frames meanwhile', spread(frames));
  tell('all shown after the last post', ms(behind));
});

test('scrolling a long history', async ({ page }) => {
  test.skip(!FILLED, 'CREEL_FILLED names no directory');
  const engine = new Engine(FILLED);
  await engine.start();
  try {
    const ui = await open(page, engine);
    await ui.rows.first().waitFor();
    const { total } = await engine.api<{ total: number }>('GET', '/deliveries?limit=1');
    tell('deliveries stored', total.toLocaleString('en-US'));
    const devtools = await page.context().newCDPSession(page);
    for (const speed of [1_000, 5_000, 20_000]) {
      await watch(page, 'none.');
      // The wheel's own way through the browser, ten seconds of it at that many pixels a second.
      const gesture = { x: 500, y: 500, yDistance: -10 * speed, speed, gestureSourceType: 'mouse' } as const;
      await devtools.send('Input.synthesizeScrollGesture', gesture);
      const { frames, blank, loading } = await endOfWatch(page);
      const paced = frames.filter((gap) => gap > 0);
      tell(`wheel, ${speed.toLocaleString('en-US')} px/s`, `${spread(paced)}; ${frames.length} frames`, {
        text: 'p99 ≤ 17 ms',
        reached: percentile(paced, 99) <= 17.5,
      });
      tell('  frames with a blank place / a row loading', `${blank} / ${loading}`, {
        text: '0 blank',
        reached: blank === 0,
      });
    }
    const leaps: number[] = [];
    for (const part of [0.9, 0.1, 0.5, 0.75, 0.25, 0.6, 0.3, 0.99, 0.02, 0.45]) leaps.push(await leap(page, part));
    tell('a leap of the scrollbar to rows shown', spread(leaps));
  } finally {
    await engine.dispose();
  }
});

/** Sets the scrollbar somewhere; how long until every row in view is there. */
function leap(page: Page, part: number): Promise<number> {
  return page.evaluate(async (to) => {
    const grid = document.querySelector('[role=grid]') as HTMLElement;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const from = performance.now();
    grid.scrollTop = grid.scrollHeight * to;
    do {
      await frame();
      await frame();
    } while (grid.querySelector('[aria-busy=true]') !== null);
    return performance.now() - from;
  }, part);
}

test('the first screen of a large body', async ({ page, engine }) => {
  const endpoint = await engine.endpoint('Bench');
  const line = JSON.stringify({
    id: 'evt_0123456789',
    amount: 852,
    note: 'x'.repeat(60),
    list: [1, 2, 3],
  });
  const many = Math.floor((BODY_BYTES_MAX - 64) / (line.length + 1));
  const body = `{"event":"large","data":[${Array.from({ length: many }, () => line).join(',')}]}`;
  await engine.send(endpoint, body);
  await engine.send(endpoint, '{"event":"small"}');
  const ui = await open(page, engine);
  const opened: number[] = [];
  for (let time = 0; time < 6; time += 1) {
    await ui.row('small').click();
    await ui.tab('Body');
    await ui.panel.getByTestId('body-text').waitFor();
    opened.push(await firstScreen(page));
  }
  const [first = Number.NaN, ...others] = opened;
  const told = (Buffer.byteLength(body) / 1024 / 1024).toFixed(1);
  tell(`${told} MiB body: click to first screen, first`, ms(first), { text: '≤ 200 ms', reached: first <= 200 });
  tell('  and again', spread(others), { text: '≤ 200 ms', reached: percentile(others, 100) <= 200 });
});

/** Opens the delivery by a click on its row, with the tab Body chosen; how long until the body's lines are painted. */
function firstScreen(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const row = [...document.querySelectorAll<HTMLElement>('[role=grid] [role=row]')].find((one) =>
      one.querySelector('bdi[title="large"]'),
    );
    const from = performance.now();
    const press = { bubbles: true, cancelable: true, detail: 1, button: 0 };
    const cell = row?.querySelector('[role=gridcell]');
    for (const type of ['pointerdown', 'pointerup']) cell?.dispatchEvent(new PointerEvent(type, press));
    for (const type of ['mousedown', 'mouseup', 'click']) cell?.dispatchEvent(new MouseEvent(type, press));
    for (;;) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (document.querySelector('[data-testid=body-lines]')?.textContent?.includes('evt_')) break;
    }
    await new Promise((resolve) => setTimeout(resolve));
    return performance.now() - from;
  });
}
