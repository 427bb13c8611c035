import { join } from 'node:path';
import { test as base, type Page, type TestInfo } from '@playwright/test';
import { Window } from '../e2e/fixtures';
import { Demo } from './demo';

/** Where the pictures go; which of them are kept says .gitignore. */
const FOLDER = join(import.meta.dirname, '../../docs/screenshots');

/** Takes pictures of one page; what cannot be taken does not keep the others from being taken. */
export class Camera {
  readonly missed: string[] = [];

  constructor(
    readonly page: Page,
    readonly info: TestInfo,
  ) {}

  /** Does what leads to a state, and takes its picture under a stable name. */
  async take(name: string, lead: () => Promise<unknown>): Promise<void> {
    try {
      await lead();
      // What lies under the pointer has a tip, or the look of what is about to be pressed.
      await this.page.mouse.move((this.page.viewportSize()?.width ?? 0) / 2, 1);
      await this.#settle();
      const path = join(FOLDER, `${name}.${this.info.project.name}.png`);
      await this.page.screenshot({ path, animations: 'disabled', caret: 'hide' });
    } catch (thrown) {
      this.missed.push(`${name}: ${String(thrown).split('\n')[0]}`);
    }
  }

  /** Nothing loads, and no font is still to come. */
  async #settle(): Promise<void> {
    await this.page.evaluate(() => document.fonts.ready);
    await this.page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null, null, {
      timeout: 10_000,
    });
    // Two frames: what the last change asked for has been painted.
    await this.page.evaluate(
      () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
    );
  }
}

export const test = base.extend<{ camera: Camera; ui: Window }, { demo: Demo }>({
  demo: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const demo = new Demo();
      await demo.start();
      await use(demo);
      await demo.stop();
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  camera: async ({ page }, use, info) => {
    const camera = new Camera(page, info);
    await use(camera);
    base.expect(camera.missed, 'every picture was taken').toEqual([]);
  },
  ui: async ({ page }, use) => use(new Window(page)),
});
