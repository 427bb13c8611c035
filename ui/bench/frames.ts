import type { Page } from '@playwright/test';

/** What a page went through while it was watched. Times in milliseconds. */
export type Watched = {
  /** Between a frame and the next. */
  frames: number[];
  /** How late a timer of `EVERY_MS` came: as late would a click be answered. */
  late: number[];
  /** Frames in which a place of the list showed no row, or one that was still loading. */
  blank: number;
  loading: number;
  /** When each row that is named so was first on the screen, in Unix milliseconds. */
  seen: Record<string, number>;
};

declare global {
  interface Window {
    endOfWatch: () => Watched;
  }
}

/** Begins to watch; rows whose event begins with `prefix` are noted by name. */
export function watch(page: Page, prefix: string): Promise<void> {
  return page.evaluate((begins) => {
    const EVERY_MS = 5;
    const told: Watched = { frames: [], late: [], blank: 0, loading: 0, seen: {} };
    let watching = true;
    let before = performance.now();
    const grid = () => document.querySelector('[role=grid]');

    /** Whether the list is whole, at a few places from its first row to its last. */
    function probe() {
      const box = grid()?.getBoundingClientRect();
      if (!box) return;
      let [blank, loading] = [false, false];
      for (const part of [0.1, 0.3, 0.5, 0.7, 0.9]) {
        const hit = document.elementFromPoint(box.left + 60, box.top + box.height * part);
        const row = hit?.closest('[role=row]') ?? hit?.querySelector('[role=row]');
        if (!row) blank = true;
        else if (row.querySelector('[aria-busy=true]')) loading = true;
      }
      if (blank) told.blank += 1;
      if (loading) told.loading += 1;
    }

    function frame() {
      if (!watching) return;
      const now = performance.now();
      told.frames.push(now - before);
      before = now;
      // Handled right behind this frame: what stands in the document then has been painted.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        const at = Date.now();
        for (const name of document.querySelectorAll(`[role=grid] bdi[title^="${begins}"]`)) {
          told.seen[name.textContent?.trim() ?? ''] ??= at;
        }
        port1.close();
      };
      port2.postMessage(null);
      probe();
      requestAnimationFrame(frame);
    }

    function timer(due: number) {
      if (!watching) return;
      told.late.push(Math.max(0, performance.now() - due));
      setTimeout(timer, EVERY_MS, performance.now() + EVERY_MS);
    }

    window.endOfWatch = () => {
      watching = false;
      return told;
    };
    requestAnimationFrame(frame);
    timer(performance.now());
  }, prefix);
}

export const endOfWatch = (page: Page): Promise<Watched> => page.evaluate(() => window.endOfWatch());
