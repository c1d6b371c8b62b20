import type { Readable } from 'node:stream';
import { FRAME_HASH_OUTPUT, readFrameHashes } from '../index/frame-hash-lines.ts';
import { isSlice, parseCaptionSei } from './caption-sei.ts';
import { CaptionCollector, type Captions } from './captions.ts';
import { readNalUnits } from './nal-units.ts';

/** Numbers of the pipes of an ffmpeg process that reports on the captions of a video. */
export interface CaptionPipes {
  readonly payloads: number;
  readonly times: number;
}

const NO_CAPTIONS: Buffer = Buffer.alloc(0);

/** Only frames with captions, as tiny images. Those without are dropped before any work on their pixels. */
const CAPTIONED = 'sidedata=mode=select:type=A53_CC,scale=16:16:flags=neighbor,format=yuv420p';

/**
 * Outputs of ffmpeg that report the captions of a video: its decoders find them, but only encoders write them. So the frames
 * with captions are encoded as tiny images with the captions in SEI messages; a second output has their timestamps.
 *
 * @param stream index of the video stream
 */
export function captionOutputs(stream: number, { payloads, times }: CaptionPipes): string[] {
  const map = ['-map', `0:${stream}`];
  return [
    // With timestamps of their own, because ffmpeg reports those that do not increase as errors.
    ...[...map, '-vf', `${CAPTIONED},setpts=N`, '-fps_mode', 'passthrough', '-enc_time_base', '-1'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-qp', '51', '-threads', '1'],
    ...['-a53cc', '1', '-f', 'h264', `pipe:${payloads}`],
    ...[...map, '-vf', CAPTIONED, ...FRAME_HASH_OUTPUT, `pipe:${times}`],
  ];
}

/** Reads both outputs to their end. @returns the captions of frames with these timestamps; null if none has captions */
export async function readCaptions(
  payloads: Readable,
  times: Readable,
): Promise<(pts: readonly number[]) => Captions | null> {
  const [collector, found] = await Promise.all([collectPayloads(payloads), readTimes(times)]);
  return (pts) => collector.finish(found, pts);
}

async function collectPayloads(payloads: Readable): Promise<CaptionCollector> {
  const collector = new CaptionCollector();
  let payload = NO_CAPTIONS;
  for await (const unit of readNalUnits(payloads)) {
    payload = parseCaptionSei(unit) ?? payload;
    if (!isSlice('h264', unit[0] ?? 0)) continue;
    // An image of this size has one slice. Side data without captions has no message, but still a time.
    collector.add(payload);
    payload = NO_CAPTIONS;
  }
  return collector;
}

async function readTimes(times: Readable): Promise<number[]> {
  const found: number[] = [];
  for await (const { pts } of readFrameHashes(times)) found.push(pts);
  return found;
}
