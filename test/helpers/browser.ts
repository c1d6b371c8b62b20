import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Why there is no browser for tests; null if there is one. */
export const whyNoBrowser = existsSync(CHROMIUM) ? null : `${CHROMIUM} is not installed`;

/** Opens a page in a real browser with an empty profile, which is closed when the test is over. */
export async function openBrowser(address: string): Promise<Page> {
  const context = await chromium.launchPersistentContext(temporaryFolder(), {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(address);
  return page;
}
