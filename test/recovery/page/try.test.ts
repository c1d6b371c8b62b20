import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it, vi } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { checkAppearance } from '../../helpers/screenshots.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const browserTest = it.skipIf(whyNoBrowser !== null);
const WAIT = { timeout: 60_000 };

/** A daemon whose recipe names a small model of the user, and whose queue is paused. */
async function daemonWithModel(): Promise<DaemonWithPage> {
  const daemon = await DaemonWithPage.start();
  await daemon.change('/api/queue/pause');
  mkdirSync(join(daemon.home, 'mine'));
  const model = join(daemon.home, 'mine/tiny.onnx');
  writeFileSync(model, tinySrvgg());
  await daemon.change('/api/settings', { changes: [{ key: 'recipe.model', value: model }] });
  return daemon;
}

browserTest(
  `models are compared on a frame, and one of them becomes the recipe; that can be undone${suffix}`,
  async () => {
    const daemon = await daemonWithModel();
    const before = readFileSync(join(daemon.home, 'framekiln.yaml'), 'utf8');
    makeClip(join(daemon.home, 'input/clip.mp4'), { width: 160, height: 120, frames: 50 });
    const page = await openBrowser(`${daemon.address}#/try`);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await page.getByLabel('File').fill('clip.mp4');
    await page.getByLabel('Time').fill('noon');
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.getByText('Expected a time').waitFor(WAIT);
    await page.getByLabel('Time').fill('0:01');
    await page.getByLabel('Scale').selectOption('3');
    await page.getByLabel('Clip').selectOption('1');
    for (const box of await page.getByRole('checkbox').all())
      if ((await box.locator('xpath=..').innerText()).trim() !== 'tiny') await box.uncheck();
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.getByText('at 0:01.0 of 0:02.0 · 160×120 → 480×360').waitFor(WAIT);
    // Both images are there, and the divider moves by key.
    await page.getByAltText('tiny: the same frame').waitFor(WAIT);
    await page.getByAltText('Source (lanczos): the same frame').waitFor(WAIT);
    const divider = page.getByRole('slider', { name: /Divider between/ });
    await divider.press('ArrowRight');
    expect(await divider.inputValue()).toBe('50.5');
    const { results } = JSON.parse((await daemon.ask('GET', '/api/try')).text) as {
      results: { framesPerSecond: number; seconds: number }[];
    };
    expect(results).toHaveLength(2);
    for (const { framesPerSecond, seconds } of results) expect(framesPerSecond * seconds).toBeGreaterThan(0);
    expect(await sharp(join(daemon.home, '.framekiln/try/tiny.png')).metadata()).toMatchObject({
      width: 480,
    });

    // The clip of the chosen model plays, and is served in parts.
    const clip = page.getByLabel('The source beside tiny');
    await expect.poll(() => page.evaluate(`document.querySelector('video')?.videoWidth`), WAIT).toBe(960);
    const clipAddress = (await clip.getAttribute('src')) ?? '';
    const part = await daemon.ask('GET', new URL(clipAddress, daemon.address).pathname, {
      range: 'bytes=0-99',
    });
    expect([part.status, part.headers['content-length']]).toEqual([206, '100']);
    const beyond = await daemon.ask('GET', new URL(clipAddress, daemon.address).pathname, {
      range: 'bytes=999999999-',
    });
    expect(beyond.status).toBe(416);
    expect(beyond.headers['content-range']).toMatch(/^bytes \*\/\d+$/);

    await checkAppearance(page, 'try-result');
    await page.getByRole('button', { name: 'Use this: Source (lanczos)' }).click();
    await page.getByText('New files use lanczos at 3×.').waitFor(WAIT);
    const file = (): string => readFileSync(join(daemon.home, 'framekiln.yaml'), 'utf8');
    expect(file()).toMatch(/model: lanczos\n +scale: 3/);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('The earlier recipe applies again.').waitFor(WAIT);
    expect(file()).toBe(before);
    expect(faults).toEqual([]);
  },
);

it(
  'from elsewhere, only files in input/ can be tried, and only installed models',
  { tags: ['slow'] },
  async () => {
    const daemon = await daemonWithModel();
    makeClip(join(daemon.home, 'outside.mp4'), { frames: 5, audio: false });
    const proxied = { 'x-forwarded-for': '192.0.2.1' };
    const models = ['lanczos'];
    const outside = { file: join(daemon.home, 'outside.mp4'), models };
    for (const file of [outside.file, '../outside.mp4', '/etc/passwd', '/no/such/file'])
      expect((await daemon.change('/api/try', { file, models }, proxied)).status).toBe(403);
    expect((await daemon.change('/api/try', { file: 'missing.mp4', models })).status).toBe(404);
    const unknown = { ...outside, models: ['../../x.onnx'] };
    expect((await daemon.change('/api/try', unknown)).text).toContain('MODEL_UNKNOWN');

    // Somebody on this machine could read the file anyway.
    expect((await daemon.change('/api/try', outside)).status).toBe(200);
    expect((await daemon.change('/api/try', outside)).status).toBe(409);
    await vi.waitFor(
      async () => expect((await daemon.ask('GET', '/api/try')).text).toContain('"done"'),
      WAIT,
    );
    const { run } = JSON.parse((await daemon.ask('GET', '/api/try')).text) as { run: number };
    expect((await daemon.ask('GET', `/api/try/${run}/images/lanczos.png`)).headers['content-type']).toBe(
      'image/png',
    );
    for (const name of ['sheet.png', '..%2f..%2fframekiln.yaml'])
      expect((await daemon.ask('GET', `/api/try/${run}/images/${name}`)).status).toBe(404);
  },
);

it('a comparison that fails says why, and ends with the daemon', async () => {
  const daemon = await daemonWithModel();
  writeFileSync(join(daemon.home, 'input/notes.txt'), 'no video');
  await daemon.change('/api/try', { file: 'notes.txt', models: ['lanczos'] });
  await vi.waitFor(
    async () =>
      expect(JSON.parse((await daemon.ask('GET', '/api/try')).text)).toMatchObject({ state: 'failed' }),
    WAIT,
  );
  expect((await daemon.ask('GET', '/api/try')).text).toContain('notes.txt');
  makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 5 });
  daemon.running.child.kill('SIGTERM');
  expect(await daemon.running.ended).toBe(0);
  expect(existsSync(join(daemon.home, '.framekiln/try/sheet.png'))).toBe(false);
});
