import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { checkAppearance } from '../../helpers/screenshots.ts';
import { sharedMedia, sharedModels, whyNoSharedMedia } from '../../helpers/shared-media.ts';

const why = whyNoBrowser ?? whyNoSharedMedia;
const suffix = why === null ? '' : ` (${why})`;
const WAIT = { timeout: 120_000 };

/** Puts a clip of two people into the input folder. */
function addClip(home: string): void {
  const folder = join(home, 'input/dual-face');
  mkdirSync(folder);
  const recipe = `model: ${sharedModels('yunet_n_640_640.onnx')}\nwidth: 320\nheight: 180\ndetectEvery: 2\nenhance: off\n`;
  writeFileSync(join(folder, 'two.mp4.recipe.yaml'), recipe);
  const source = sharedMedia('faces/head-pose-face-detection-female-and-male.gif');
  const encoding = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast'];
  ffmpeg('-i', source, '-vf', 'fps=12,setsar=1', '-frames:v', '30', ...encoding, join(folder, 'two.mp4'));
}

it.skipIf(why !== null)(
  `people and shots of a split screen are corrected by mouse and keys, and drawn without another analysis${suffix}`,
  { tags: ['slow'], timeout: 400_000 },
  async () => {
    const daemon = await DaemonWithPage.start();
    const page = await openBrowser(`${daemon.address}#/dual-face`);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await page.getByText('No split screens yet').waitFor(WAIT);
    await checkAppearance(page, 'dual-face-empty');
    addClip(daemon.home);
    await page.locator('a[href="#/dual-face/1"]').click(WAIT);
    await page.getByRole('heading', { name: 'People' }).waitFor(WAIT);
    await expect
      .poll(
        () =>
          page.evaluate(
            `[...document.querySelectorAll('.people img')].filter((i) => i.naturalWidth > 40).length`,
          ),
        WAIT,
      )
      .toBe(2);
    const order = (): Promise<string[]> => page.locator('.people b').allInnerTexts();
    const before = await order();

    // By keys: a person moves, and the step is undone.
    await page.getByRole('button', { name: `${before[1]} earlier` }).press('Enter');
    expect(await order()).toEqual(before.toReversed());
    await page.keyboard.press('Control+z');
    expect(await order()).toEqual(before);
    expect(await page.getByRole('button', { name: 'Redraw' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: `${before[1]} earlier` }).press('Enter');

    // A part shows the whole image, another one crops.
    await page
      .getByRole('button', { name: /^Correct frames/ })
      .first()
      .click();
    await page.getByLabel('From frame').fill('5');
    await page.getByLabel('Up to frame').fill('9');
    await page.keyboard.press('Tab');
    await page.getByLabel('Layout').selectOption('whole');
    await page.getByText('→ whole image').waitFor(WAIT);
    await expect
      .poll(() => page.evaluate(`document.querySelector('.crop-view img')?.naturalWidth ?? 0`), WAIT)
      .toBeGreaterThan(100);
    await checkAppearance(page, 'dual-face');
    await page.getByRole('button', { name: 'Set crops by hand' }).click();
    await page
      .getByRole('group', { name: /^Crop 1/ })
      .getByLabel('left')
      .fill('10');
    await page.keyboard.press('Tab');
    await page.getByText('→ 2 crops by hand').waitFor(WAIT);
    await page.getByRole('button', { name: 'Redraw' }).click();
    await page.getByText(/two\.mp4 queued as job 2/).waitFor(WAIT);
    await page.goto(`${daemon.address}#/dual-face`);
    await page.locator('a[href="#/dual-face/2"]').click(WAIT);
    await page.getByRole('button', { name: 'Let Framekiln choose' }).waitFor(WAIT);
    expect(daemon.log()).toContain('using the analysis of an earlier job');
    const { recipe } = JSON.parse((await daemon.ask('GET', '/api/jobs/2')).text) as {
      recipe: { people: number[]; spans: { from: number; to: number; crops: { x: number }[] }[] };
    };
    expect(recipe.people).toEqual(before.toReversed().map((text) => Number(text.split(' ')[1])));
    expect(recipe.spans).toMatchObject([{ from: 5, to: 10, crops: [{ x: 10 }, {}] }]);

    // What cannot be drawn is rejected with the reason.
    const { status, text } = await daemon.change('/api/jobs/1/again', {
      changes: { spans: [{ from: 9, to: 5, layout: 'whole' }] },
    });
    expect([status, text]).toEqual([400, expect.stringContaining('from 9 to 5 ends before it begins')]);
    expect(faults).toEqual([]);
  },
);
