import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../../src/domain/fingerprint.ts';
import { packSource } from '../../../../src/job/prepare/pack-source.ts';
import { jobAtWork } from '../job-fixture.ts';

/** A job for a folder of two images, with what a killed worker has left of an attempt to pack them. */
async function sequenceAtWork() {
  const { context, folder, job, home } = await jobAtWork();
  const sourcePath = join(home.input, 'images');
  mkdirSync(sourcePath);
  const image = { width: 32, height: 24, channels: 3, background: 'red' } as const;
  for (const name of ['1.png', '2.png']) await sharp({ create: image }).toFile(join(sourcePath, name));
  const recipe = { ...job.recipe, frameRate: '25' };
  const fingerprint = await fingerprintOf(sourcePath, recipe);
  mkdirSync(folder.straight, { recursive: true });
  writeFileSync(join(folder.straight, '.lease-of-a-killed-worker'), 'half a video');
  return {
    sourcePath,
    pack: (changes: Partial<typeof job> = {}) =>
      packSource({ ...context, job: { ...job, sourcePath, recipe, fingerprint, ...changes } }, folder),
    packed: () => readdirSync(folder.straight),
  };
}

test('images are packed once, and what a killed worker has left is removed', async () => {
  const { pack, packed } = await sequenceAtWork();
  const path = await pack();
  expect(packed()).toEqual(['sequence.mp4']);
  expect(await pack({ sourcePath: '/nowhere' })).toBe(path);
});

test('nothing is left when packing fails', async () => {
  const { sourcePath, pack, packed } = await sequenceAtWork();
  writeFileSync(join(sourcePath, '2.png'), 'no image');
  await expect(pack()).rejects.toMatchObject({ code: 'NOT_A_VIDEO' });
  expect(packed()).toEqual([]);
});

test('images that are not those of the job are not kept as its video', async () => {
  const { pack, packed } = await sequenceAtWork();
  await expect(pack({ fingerprint: 'of other images' })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  expect(packed()).toEqual([]);
});
