import { launch, type Browser } from 'puppeteer-core';

/** Debian's firefox-esr, driven over WebDriver BiDi: Playwright's own Firefox would be a download. */
export function startFirefox(): Promise<Browser> {
  return launch({
    browser: 'firefox',
    protocol: 'webDriverBiDi',
    executablePath: process.env.CREEL_FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    defaultViewport: { width: 1280, height: 800 },
  });
}
