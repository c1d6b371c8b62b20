import sharp from 'sharp';
import { expect, test } from 'vitest';
import { uprightExif } from '../../../src/media/still/exif-orientation.ts';
import { withPngMetadata } from '../../../src/media/still/png-chunks.ts';

const plain = () => sharp({ create: { width: 4, height: 3, channels: 3, background: 'red' } });

async function exifOf(orientation: number): Promise<Buffer> {
  const jpeg = await plain()
    .withExif({ IFD0: { Artist: 'Ada' } })
    .withMetadata({ orientation })
    .jpeg()
    .toBuffer();
  return (await sharp(jpeg).metadata()).exif ?? Buffer.alloc(0);
}

test('an EXIF block without the orientation keeps everything else', async () => {
  const exif = await exifOf(6);
  const metadata = { icc: null, colorChunks: [] };
  const orientation = async (block: Buffer) =>
    (await sharp(withPngMetadata(await plain().png().toBuffer(), { ...metadata, exif: block })).metadata())
      .orientation;
  expect(await orientation(exif)).toBe(6);
  expect(await orientation(uprightExif(exif))).toBe(1);
  expect(uprightExif(exif)).toHaveLength(exif.length);
  expect(uprightExif(await exifOf(1))).toEqual(await exifOf(1));
  expect(uprightExif(exif).filter((byte, i) => byte !== exif[i])).toHaveLength(1);
});

test('damaged EXIF blocks stay as they are', async () => {
  const exif = await exifOf(6);
  for (let length = 0; length < 24; length++)
    expect(uprightExif(exif.subarray(0, length))).toEqual(exif.subarray(0, length));
  const everywhere = Buffer.from(exif);
  everywhere.fill(0xff, 10, 14);
  expect(uprightExif(everywhere)).toEqual(everywhere);
});
