import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { StillFormat } from '../../../src/media/still/still-format.ts';
import { readStill, writeStill } from '../../../src/media/still/still-image.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Reads an image and writes it again in the same size. */
async function copied(path: string, format: StillFormat) {
  const still = await readStill(path, format, Infinity);
  const output = `${path}.copy`;
  await writeStill(output, still, still);
  return { still, bytes: readFileSync(output) };
}

function makeAvif(path: string, primaries: string, transfer: string): string {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48', '-frames:v', '1', '-pix_fmt', 'yuv420p10le'];
  const tags = ['-color_primaries', primaries, '-color_trc', transfer, '-colorspace', 'bt709'];
  ffmpeg(...source, '-c:v', 'libaom-av1', '-cpu-used', '8', '-still-picture', '1', ...tags, path);
  return path;
}

test.each([
  ['smpte2084', 'PQ'],
  ['arib-std-b67', 'HLG'],
])('an HDR image in AVIF is rejected with the reason: %s', async (transfer, name) => {
  const path = makeAvif(join(temporaryFolder(), 'hdr.avif'), 'bt2020', transfer);
  const failure = readStill(path, 'avif', Infinity);
  await expect(failure).rejects.toMatchObject({ code: 'UNSUPPORTED_COLOR' });
  await expect(failure).rejects.toThrow(`hdr.avif is an HDR image (${name})`);
});

test('AVIF in Display P3 without a profile gets one', async () => {
  const path = makeAvif(join(temporaryFolder(), 'p3.avif'), 'smpte432', 'iec61966-2-1');
  expect((await sharp(path).metadata()).icc).toBeUndefined();
  const { bytes } = await copied(path, 'avif');
  const { icc } = await sharp(bytes).metadata();
  expect(icc?.toString('latin1').replaceAll('\0', '')).toMatch(/P3/);
  await sharp(path)
    .metadata()
    .then(({ icc: before }) => expect(before).toBeUndefined());
});

test('the HDR tags of a PNG are kept', async () => {
  const folder = temporaryFolder();
  const plain = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#846' } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  // BT.2020 primaries, PQ, RGB, full range (PNG specification, third edition, 11.3.2.6).
  const body = Buffer.from([...Buffer.from('cICP'), 9, 16, 0, 1]);
  const chunk = Buffer.alloc(16);
  chunk.writeUInt32BE(4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 12);
  const path = join(folder, 'hdr.png');
  writeFileSync(path, Buffer.concat([plain.subarray(0, 33), chunk, plain.subarray(33)]));
  const { bytes } = await copied(path, 'png');
  expect(bytes.subarray(33, 49)).toEqual(chunk);
  expect(await sharp(bytes).metadata()).toMatchObject({ depth: 'ushort', width: 64 });
});

test('a gain map that is left out is reported as such', async () => {
  const path = join(temporaryFolder(), 'ultra.jpg');
  const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#846' } })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a hdrgm:Version="1.0"/></x:xmpmeta>')
    .jpeg()
    .toBuffer();
  writeFileSync(path, Buffer.concat([jpeg, Buffer.from('MPF\0')]));
  const { still } = await copied(path, 'jpeg');
  expect(still.leftOut).toBe('the output has no gain map, so it is no longer shown in HDR');
});
