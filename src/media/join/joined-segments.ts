import { createReadStream } from 'node:fs';
import { withCaptions, type CaptionSource } from '../captions/insert-captions.ts';
import { listBoxes, type Box } from '../encode/segment-boxes.ts';
import { withHeaderBoxes, type HeaderMetadata } from './header-boxes.ts';

/**
 * Yields segments as one fragmented MP4: the header of the first segment and the fragments of all.
 *
 * @param captions captions to insert into the frames; null if there are none
 * @param metadata metadata to insert into the header
 */
export async function* joinedSegments(
  segmentPaths: readonly string[],
  captions: CaptionSource | null,
  metadata: HeaderMetadata,
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
        yield withHeaderBoxes(moov, metadata);
      }
    }
  }
}

async function* bytesOf(path: string, ...boxes: readonly Box[]): AsyncGenerator<Buffer> {
  for (const { offset, bytes } of boxes)
    yield* createReadStream(path, { start: offset, end: offset + bytes - 1 }) as AsyncIterable<Buffer>;
}
