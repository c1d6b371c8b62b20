import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/** What axe finds on a page that hinders people seriously, one text for each fault. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // Not a script of the page, so its policy does not apply.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).slice(0, 3).join(' ')))`,
  );
}
