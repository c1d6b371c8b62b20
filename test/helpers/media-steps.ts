import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chroma, FrameFormat, MediaInfo } from '../../src/domain/media-info.ts';
import { outputColor } from '../../src/media/decode/color-conversion.ts';
import { FrameDecoder, frameBuffer, type DecoderOptions } from '../../src/media/decode/decoder.ts';
import { createYuvConverter } from '../../src/inference/yuv-converter.ts';
import { encodeSegment, verifySegment, type SegmentJob } from '../../src/media/encode/encode-segment.ts';
import type { EncoderName, EncoderSettings } from '../../src/media/encode/encoder-arguments.ts';
import { indexFrames, type FrameIndex } from '../../src/media/index/frame-index.ts';
import { muxOutput } from '../../src/media/join/mux.ts';
import { yuvConversion } from '../../src/media/encode/yuv-conversion.ts';
import { outputTiming } from '../../src/media/encode/output-timing.ts';
import { probeMedia } from '../../src/media/probe/probe-media.ts';
import { planStreams } from '../../src/media/join/stream-plan.ts';
import { verifyOutput } from '../../src/media/verify/verify-output.ts';

export const LIMITS = { inputMegapixels: 36, hours: 24, framesPerSecond: 240 };

export interface Opened {
  readonly media: MediaInfo;
  readonly index: FrameIndex;
  readonly format: FrameFormat;
}

/** Probes and indexes a file. Its width and height must be even, because frames keep their size. */
export async function openMedia(path: string): Promise<Opened> {
  const media = await probeMedia(path, LIMITS);
  const { width, height, bitsPerComponent } = media.video;
  const pixelFormat = bitsPerComponent > 8 ? 'rgb48le' : 'rgb24';
  return {
    media,
    index: await indexFrames(media, { limits: LIMITS }),
    format: { width, height, pixelFormat },
  };
}

export function decoderAt(
  { media, index, format }: Opened,
  frame: number,
  notes: string[] = [],
  hardware: Pick<DecoderOptions, 'choice' | 'hardwareStallMs'> = {},
): FrameDecoder {
  return new FrameDecoder(media, index, frame, {
    ...hardware,
    format,
    maxPixels: LIMITS.inputMegapixels * 1e6,
    onNote: (sentence) => notes.push(sentence),
  });
}

/** Decodes frames with a decoder that starts at the first of them, as after a kill. */
export async function pixelsFrom(
  opened: Opened,
  first: number,
  count: number,
  notes: string[] = [],
): Promise<Buffer[]> {
  const decoder = decoderAt(opened, first, notes);
  const frames: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const frame = frameBuffer(opened.format);
    await decoder.read(frame);
    frames.push(frame);
  }
  await decoder.close();
  return frames;
}

export interface Cut {
  readonly frames: number;
  readonly encoder: EncoderName;
  readonly settings: EncoderSettings;
}

/** Decodes, encodes and verifies segments one after the other, each with a new decoder, as after a kill. */
export async function makeSegments(opened: Opened, folder: string, cuts: readonly Cut[]): Promise<string[]> {
  const { media, index, format } = opened;
  const paths: string[] = [];
  let first = 0;
  for (const { frames, encoder, settings } of cuts) {
    const framesPath = join(folder, `${paths.length}.raw`);
    const decoder = decoderAt(opened, first);
    const frame = frameBuffer(format);
    const written = writtenFormat(opened, settings);
    writeFileSync(framesPath, '');
    for (let i = 0; i < frames; i++) {
      await decoder.read(frame);
      appendFileSync(framesPath, await written.convert(frame));
    }
    await decoder.close();
    const { num, den } = media.video.sampleAspectRatio;
    const job: SegmentJob = {
      framesPath,
      format: written.format,
      firstFrame: first,
      frameCount: frames,
      timing: outputTiming(index, media),
      color: outputColor(media.video),
      hdr: media.video.hdr,
      sampleAspectRatio: `${num}/${den}`,
      segmentPath: join(folder, `${paths.length}.mp4`),
    };
    await encodeSegment(job, encoder, settings);
    await verifySegment(job);
    paths.push(job.segmentPath);
    first += frames;
  }
  return paths;
}

/** The format in which a job writes frames for its encoder, and how it brings them to that format. */
function writtenFormat({ media, format }: Opened, { chroma = '420' }: EncoderSettings) {
  const conversion = yuvConversion(format, outputColor(media.video), chroma);
  if (conversion === null) return { format, convert: (frame: Buffer) => Promise.resolve(frame) };
  const yuv = { ...format, pixelFormat: conversion.pixelFormat };
  const [target, toYuv] = [frameBuffer(yuv), createYuvConverter(conversion)];
  return { format: yuv, convert: (frame: Buffer) => toYuv(frame, target).then(() => target) };
}

/** Does what a job does, without a pipeline: the output has the size of the source. */
export async function passThrough(
  path: string,
  folder: string,
  encoder: 'libx264' | 'libx265' = 'libx264',
  chroma: Chroma = '420',
) {
  const opened = await openMedia(path);
  const settings = { crf: encoder === 'libx264' ? 0 : 5, preset: 'ultrafast', threads: 2, chroma };
  const frames = opened.index.pts.length;
  const segmentPaths = await makeSegments(opened, folder, [{ frames, encoder, settings }]);
  const { media: source, format } = opened;
  const plan = planStreams(source);
  const timing = outputTiming(opened.index, source);
  const outputPath = join(folder, `out${plan.extension}`);
  const codec = encoder === 'libx264' ? 'h264' : 'hevc';
  const { captions } = opened.index;
  const spatial = source.video.spatial ?? null;
  await muxOutput({
    ...{ source, segmentPaths, timing, codec, encoderCount: 1, plan, captions, spatial, outputPath },
  });
  const color = outputColor(source.video);
  const { sampleAspectRatio } = source.video;
  const expected = { format, chroma, timing, color, sampleAspectRatio, plan, captions, source, segmentPaths };
  await verifyOutput(outputPath, expected);
  return { outputPath, result: await probeMedia(outputPath, LIMITS), opened, segmentPaths, expected };
}
