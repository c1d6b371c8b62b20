// Takes screenshots of the panels of a running page at three widths, dark and light:
//   npm run docs:screenshots -- http://127.0.0.1:7717/ FOLDER [PANEL…]
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [address, folder, ...wanted] = process.argv.slice(2);
const PANELS =
  wanted.length > 0
    ? wanted
    : ['now', 'queue', 'ended', 'add', 'try', 'log', 'machine', 'settings', 'doctor'];
const SIZES = [
  [390, 844],
  [1280, 800],
  [2560, 1440],
];

mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), 'framekiln-screenshots-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
  await page.goto(address);
  for (const colorScheme of ['dark', 'light'])
    for (const [width, height] of SIZES)
      for (const panel of PANELS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height });
        await page.goto(`${address}#/${panel}`);
        await page.locator('nav').waitFor();
        await page
          .locator('.loading, .compare[role=status]')
          .first()
          .waitFor({ state: 'detached', timeout: 5000 })
          .catch(() => undefined);
        if (panel === 'machine') await page.locator('canvas').first().waitFor();
        await page.screenshot({
          path: join(folder, `${panel.replace('/', '-')}-${width}-${colorScheme}.png`),
        });
      }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
