import { expect } from '@playwright/test';

/** What both browsers' drivers can do with a page. */
export type Driven = {
  evaluate: <T, A>(run: (argument: A) => T | Promise<T>, argument: A) => Promise<T>;
};

type Seen = { texts: string[]; blanks: number; top: number; height: number };

/** The rows that are seen in the list, from the top; and how many places of a row's height in it show none. */
export function seen(page: Driven): Promise<Seen> {
  return page.evaluate(() => {
    const grid = document.querySelector('[role=grid]') as HTMLElement;
    const head = grid.querySelector('[role=row]') as HTMLElement;
    const box = grid.getBoundingClientRect();
    const from = head.getBoundingClientRect().bottom;
    const texts: string[] = [];
    let blanks = 0;
    for (let y = from + 5; y < box.bottom - 8; y += 10) {
      // Right between two rows a point may hit neither: what counts is whether anything is near.
      const hit = (at: number) => document.elementFromPoint(box.left + 30, at)?.closest('[role=row]');
      const row = hit(y) ?? hit(y + 3);
      const text = row?.textContent?.trim() ?? '';
      if (text === '') blanks += 1;
      else if (texts.at(-1) !== text) texts.push(text);
    }
    return { texts, blanks, top: grid.scrollTop, height: grid.scrollHeight };
  }, null);
}

export async function press(page: Driven, name: string): Promise<void> {
  await page.evaluate(async (wanted) => {
    const button = [...document.querySelectorAll('button')].find((one) => one.textContent === wanted);
    button?.click();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }, name);
}

export async function scrollBy(page: Driven, by: number): Promise<void> {
  await page.evaluate(async (distance) => {
    const grid = document.querySelector('[role=grid]') as HTMLElement;
    grid.scrollTop += distance;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }, by);
}

const numbers = (texts: string[]) => texts.map((text) => Number(text.replace('number ', '')));

/** Rows follow each other without a gap, and no place is blank. */
function whole({ texts, blanks }: Seen): number[] {
  const all = numbers(texts);
  expect(blanks).toBe(0);
  expect(all.length).toBeGreaterThan(15);
  for (let at = 1; at < all.length; at += 1) expect(all[at]).toBe((all[at - 1] as number) - 1);
  return all;
}

/** Goes through a list of a million rows: to both ends, the middle, by small steps and by leaps of the scrollbar. */
export async function goThroughAMillion(page: Driven): Promise<void> {
  expect(whole(await seen(page))[0]).toBe(1_000_000);
  await press(page, 'End');
  const end = await seen(page);
  expect(whole(end).at(-1)).toBe(1);
  // Below the height at which any of the browsers clamps an element.
  expect(end.height).toBeLessThan(8_000_000);

  await press(page, 'Middle');
  const middle = whole(await seen(page));
  expect(middle).toContain(500_000);
  // A turn of the wheel moves by its pixels, also where the scrollbar is scaled.
  await scrollBy(page, 300);
  expect(whole(await seen(page))[0]).toBe((middle[0] as number) - 10);
  // It stays there when the scrollbar is set right behind the wheel.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)), null);
  expect(whole(await seen(page))[0]).toBe((middle[0] as number) - 10);

  // What is looked at holds still when rows come in above it.
  const before = whole(await seen(page));
  await press(page, 'Arrive');
  expect(whole(await seen(page))).toEqual(before);

  let last = 0;
  await press(page, 'Top');
  expect(whole(await seen(page))[0]).toBe(1_000_012);
  for (let leap = 0; leap < 12; leap += 1) {
    await scrollBy(page, 550_000);
    const first = whole(await seen(page))[0] as number;
    if (last > 0) expect(first).toBeLessThan(last);
    last = first;
  }
  expect(last).toBeLessThan(100_000);
}
