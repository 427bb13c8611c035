import { defineConfig } from '@playwright/test';
import base from '../playwright.config';

/** Pictures for the README and for looking at: `cargo xtask screenshots`. No part of the tests. */
export default defineConfig({
  ...base,
  testDir: '.',
  outputDir: '../test-results/screenshots',
  timeout: 180_000,
  // Two at a time would share the machine with the engine they photograph.
  workers: 1,
  fullyParallel: false,
  projects: (['light', 'dark'] as const).flatMap((theme) =>
    [
      { width: 1440, height: 900 },
      { width: 1280, height: 800 },
      { width: 900, height: 700 },
    ].map((viewport) => ({
      name: `${theme}.${viewport.width}x${viewport.height}`,
      use: { colorScheme: theme, viewport, reducedMotion: 'reduce' as const },
    })),
  ),
});
