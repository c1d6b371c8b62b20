import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { seriousFaults } from './browser.ts';

/** Folder for pictures, to be looked at; without it, only the checks run. */
const folder = process.env['FRAMEKILN_SCREENSHOTS'];
const SIZES = [
  [390, 844],
  [1280, 800],
  [2560, 1440],
] as const;
const LONGEST = 12_000;

/**
 * Checks what the page shows at three widths, dark and light: axe finds nothing serious and nothing is wider than the
 * window. Takes pictures where FRAMEKILN_SCREENSHOTS names a folder.
 */
export async function checkAppearance(page: Page, name: string): Promise<void> {
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const shown = `${name}, ${width}, ${colorScheme}`;
      if (folder !== undefined) await photograph(page, join(folder, `${name}-${width}-${colorScheme}.png`));
      expect(await page.evaluate<number>('document.documentElement.scrollWidth'), shown).toBeLessThanOrEqual(
        width,
      );
      expect(await seriousFaults(page), shown).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** Takes a picture of the whole page, or of what is in view where a list has thousands of rows. */
async function photograph(page: Page, path: string): Promise<void> {
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  await page.screenshot({ path, fullPage: height <= LONGEST });
}
