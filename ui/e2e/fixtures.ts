import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { App, Engine } from './engine';

/** The window in a browser, and the names of its parts. */
export class Window {
  constructor(readonly page: Page) {}

  get rows(): Locator {
    return this.page
      .getByRole('grid')
      .getByRole('row')
      .filter({ has: this.page.getByRole('gridcell') });
  }

  get detail(): Locator {
    return this.page.getByRole('region', { name: 'Delivery', exact: true });
  }

  get panel(): Locator {
    return this.detail.getByRole('tabpanel');
  }

  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text });
  }

  async live(): Promise<void> {
    await expect(this.page.getByTestId('connection')).toHaveText('Live');
  }

  async go(screen: 'Deliveries' | 'Endpoints' | 'Tunnel' | 'Refusals' | 'Settings'): Promise<void> {
    await this.page
      .getByRole('navigation', { name: 'Screens' })
      .getByRole('button', { name: new RegExp(`^${screen}`) })
      .click();
  }

  async tab(name: string): Promise<void> {
    await this.detail.getByRole('tab', { name: new RegExp(`^${name}`) }).click();
  }

  /** Everything in the document: text, attributes and the values of inputs. */
  async document(): Promise<string> {
    return this.page.evaluate(() => {
      const values = [...document.querySelectorAll('input, textarea')].map(
        (input) => (input as HTMLInputElement).value,
      );
      return document.documentElement.outerHTML + values.join('\n') + location.href;
    });
  }
}

/** Trouble that a test expects in the console, as when the engine is gone. */
export type Tolerated = { patterns: RegExp[] };

/** An empty page, which a test may go to, has no storage to write to. */
function markFirstEndpointMade() {
  if (location.protocol === 'http:') localStorage.setItem('creel.first-endpoint', 'made');
}

export const test = base.extend<{
  engine: Engine;
  app: App;
  tolerated: Tolerated;
  untouched: boolean;
  programs: Record<string, string>;
  ui: Window;
}>({
  /** A browser that never saw Creel: an empty one gets its first endpoint. Elsewhere a test makes its own. */
  untouched: [false, { option: true }],
  /** Shell scripts that the engine finds on its PATH, by name. */
  programs: [{}, { option: true }],
  engine: async ({ programs }, use) => {
    const engine = new Engine();
    engine.programs = programs;
    await engine.start();
    await use(engine);
    await engine.dispose();
  },
  // eslint-disable-next-line no-empty-pattern
  app: async ({}, use) => {
    const app = new App();
    await app.start();
    await use(app);
    await app.stop();
  },
  // eslint-disable-next-line no-empty-pattern
  tolerated: async ({}, use) => use({ patterns: [] }),
  ui: async ({ page, engine, tolerated, untouched }, use) => {
    if (!untouched) await page.addInitScript(markFirstEndpointMade);
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(`exception: ${error.message}`));
    page.on('dialog', (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    // A violation of the content security policy is an error in the console, too.
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
    });
    await page.goto(engine.link);
    const ui = new Window(page);
    await ui.live();
    await use(ui);
    const unexpected = troubles.filter((trouble) => !tolerated.patterns.some((pattern) => pattern.test(trouble)));
    expect(unexpected, 'no exception, dialog, refused request or policy violation').toEqual([]);
  },
});

export { expect };
