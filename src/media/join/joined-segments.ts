import { createReadStream } from 'node:fs';
import { withCaptions, type CaptionSource } from '../captions/insert-captions.ts';
import type { SpatialLayout } from '../../domain/media-info.ts';
import { listBoxes, type Box } from '../encode/segment-boxes.ts';
import { withSpatialBoxes } from './spatial-boxes.ts';

/**
 * Yields segments as one fragmented MP4: the header of the first segment and the fragments of all.
 *
 * @param captions captions to insert into the frames; null if there are none
 * @param spatial stereo 3D and spherical metadata to insert into the header; null if there are none
 */
export async function* joinedSegments(
  segmentPaths: readonly string[],
  captions: CaptionSource | null,
  spatial: SpatialLayout | null = null,
): AsyncGenerator<Buffer> {
  for (const [number, path] of segmentPaths.entries()) {
    let moof: Box | null = null;
    for (const box of await listBoxes(path)) {
      if (box.type === 'moof') moof = box;
      else if (box.type === 'mdat' && moof !== null)
        yield* captions === null
          ? bytesOf(path, moof, box)
          : withCaptions({ path, moof, mdat: box }, captions);
      else if (number === 0 && box.type === 'ftyp') yield* bytesOf(path, box);
      else if (number === 0 && box.type === 'moov') {
        const chunks = [];
        for await (const chunk of bytesOf(path, box)) chunks.push(chunk);
        const moov = Buffer.concat(chunks);
        yield spatial === null ? moov : withSpatialBoxes(moov, spatial);
      }
    }
  }
}

async function* bytesOf(path: string, ...boxes: readonly Box[]): AsyncGenerator<Buffer> {
  for (const { offset, bytes } of boxes)
    yield* createReadStream(path, { start: offset, end: offset + bytes - 1 }) as AsyncIterable<Buffer>;
}
