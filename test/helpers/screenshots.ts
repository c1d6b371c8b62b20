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
      if (folder !== undefined)
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth'), shown).toBeLessThanOrEqual(
        width,
      );
      expect(await seriousFaults(page), shown).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}
