import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Job } from '../../../../src/domain/job.ts';
import { adviseOnModel } from '../../../../src/job/batches/advise-on-model.ts';
import { loggerInto } from '../../../helpers/in-process-worker.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

const FORMAT = { width: 160, height: 120, pixelFormat: 'rgb24' } as const;
const FRAMES = 5;

/** What the log says of a drawn video, if this batch was decoded. */
async function advice(model: string, changes: { number?: number; bytes?: number } = {}): Promise<string[]> {
  const lines = Array.from({ length: 12 }, (_, i) => {
    const [x, y] = [12 + 12 * i, 20 + ((i * 37) % 80)];
    return `<circle cx="${x}" cy="${y}" r="14" fill="hsl(${i * 40},60%,65%)" stroke="#222" stroke-width="2.5"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120"><rect width="160" height="120" fill="#8fc7e8"/>${lines.join('')}</svg>`;
  const frame = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
  const inputPath = join(temporaryFolder(), '0.in');
  writeFileSync(
    inputPath,
    Buffer.concat(Array.from({ length: FRAMES }, () => frame)).subarray(0, changes.bytes),
  );
  const recipe = { pipeline: 'upscale', model, scale: 2, device: 'auto', tile: 'auto' };
  const said: string[] = [];
  const job = { recipe, sourcePath: '/films/clip.mp4' } as unknown as Job;
  const range = { number: changes.number ?? 0, firstFrame: 0, frameCount: FRAMES };
  const batch = { range, startedAtMs: 0, inputPath, outputPath: '', framesReady: 0 };
  await adviseOnModel({ job, log: loggerInto(said), modelFolders: [] }, FORMAT, batch);
  return said;
}

test('the first batch of a drawn video names the model for drawings, once', async () => {
  expect(await advice('realesr-general-x4v3')).toEqual([
    expect.stringMatching(
      /^clip\.mp4 looks drawn, and realesr-general-x4v3 is made for any footage; realesr-anim/,
    ),
  ]);
  expect(await advice('realesr-general-x4v3', { number: 1 })).toEqual([]);
  expect(await advice('realesr-animevideov3')).toEqual([]);
});

test('a job goes on if its frames cannot be looked at', async () => {
  expect(await advice('realesr-general-x4v3', { bytes: 0 })).toEqual([]);
});
