import { defineConfig } from '@playwright/test';
import base from '../playwright.config';

/** Figures of the window over a real engine: `cargo xtask bench window`. No part of the tests. */
export default defineConfig({
  ...base,
  testDir: '.',
  outputDir: '../test-results/bench',
  timeout: 600_000,
  // Two at a time would measure each other.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  reporter: [['list']],
  use: { ...base.use, trace: 'off', viewport: { width: 1280, height: 800 } },
});
