import { open } from 'node:fs/promises';
import { VerificationError } from '../../domain/errors.ts';
import type { NalCodec } from '../encode/encoder-arguments.ts';
import type { Box } from '../encode/segment-boxes.ts';
import { fragmentHeader, parseFragment, type Fragment } from '../encode/fragment.ts';
import { captionSei, isSlice } from './caption-sei.ts';

/** What captions the frames of a segment get. */
export interface CaptionSource {
  readonly codec: NalCodec;
  /** Captions of the frame with this presentation time, in ticks of the segment; null if it has none. */
  readonly at: (ticks: number) => Buffer | null;
}

/** A fragment of a segment, by its boxes `moof` and `mdat`. */
export interface FragmentPlace {
  readonly path: string;
  readonly moof: Box;
  readonly mdat: Box;
}

/** Bytes of the length before each NAL unit, as ffmpeg writes it. */
const LENGTH_BYTES = 4;

/**
 * Yields a fragment with captions in its frames, a frame at a time: each as SEI messages of a NAL unit of its own, before
 * the first slice of the frame (for the order of NAL units, see ITU-T H.264, 7.4.1.2.3).
 *
 * @throws VerificationError if a frame has no slice
 */
export async function* withCaptions(
  { path, moof, mdat }: FragmentPlace,
  { codec, at }: CaptionSource,
): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  const read = async (position: number, length: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    if (bytesRead < length) throw new VerificationError(`${path} ends before byte ${position + length}.`);
    return buffer;
  };
  try {
    const fragment = parseFragment(await read(moof.offset, moof.bytes));
    const units = presentationTimes(fragment).map((ticks) => unitWith(at(ticks), codec));
    const samples = fragment.samples.map((sample, i) => ({
      ...sample,
      bytes: sample.bytes + (units[i]?.length ?? 0),
    }));
    yield fragmentHeader({ ...fragment, samples });
    let position = mdat.offset + mdat.bytes - fragment.samples.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [i, { bytes }] of fragment.samples.entries()) {
      const sample = await read(position, bytes);
      position += bytes;
      const unit = units[i] ?? null;
      if (unit === null) yield sample;
      else {
        const place = firstSlice(sample, codec);
        if (place === null)
          throw new VerificationError(`${path} has a frame without an image at byte ${position - bytes}.`);
        yield* [sample.subarray(0, place), unit, sample.subarray(place)];
      }
    }
  } finally {
    await file.close();
  }
}

/** Presentation time of each sample. */
function presentationTimes({ decodeTime, samples }: Fragment): number[] {
  let decodedAt = decodeTime;
  return samples.map(({ duration, offset }) => {
    decodedAt += duration;
    return decodedAt - duration + offset;
  });
}

function unitWith(captions: Buffer | null, codec: NalCodec): Buffer | null {
  if (captions === null) return null;
  const unit = captionSei(codec, captions);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(unit.length);
  return Buffer.concat([length, unit]);
}

/** Where the first slice of a frame begins, with the length before it; null if there is none. */
function firstSlice(sample: Buffer, codec: NalCodec): number | null {
  for (let at = 0; at + LENGTH_BYTES < sample.length; at += LENGTH_BYTES + sample.readUInt32BE(at))
    if (isSlice(codec, sample[at + LENGTH_BYTES] ?? 0)) return at;
  return null;
}
