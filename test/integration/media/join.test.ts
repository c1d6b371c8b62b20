import { copyFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VerificationError } from '../../../src/domain/errors.ts';
import { outputColor } from '../../../src/media/decode/color-conversion.ts';
import { muxOutput } from '../../../src/media/join/mux.ts';
import { outputTiming } from '../../../src/media/encode/output-timing.ts';
import { listBoxes } from '../../../src/media/encode/segment-boxes.ts';
import { planStreams } from '../../../src/media/join/stream-plan.ts';
import { verifyOutput } from '../../../src/media/verify/verify-output.ts';
import { ffmpeg, frameMd5, makeClip } from '../../helpers/clips.ts';
import { makeSegments, openMedia, type Cut, type Opened } from '../../helpers/media-steps.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const medium = { crf: 18, preset: 'medium', threads: 2 };
const other = { crf: 24, preset: 'ultrafast', threads: 1 };

async function finish(opened: Opened, folder: string, segmentPaths: string[], encoderCount: number) {
  const plan = planStreams(opened.media);
  const timing = outputTiming(opened.index, opened.media);
  const outputPath = join(folder, `out${plan.extension}`);
  await muxOutput({
    source: opened.media,
    segmentPaths,
    timing,
    codec: 'h264',
    encoderCount,
    plan,
    outputPath,
  });
  const expected = {
    format: opened.format,
    chroma: '420' as const,
    timing,
    color: outputColor(opened.media.video),
    sampleAspectRatio: opened.media.video.sampleAspectRatio,
    plan,
    source: opened.media,
  };
  return { outputPath, expected };
}

/** Segments of 7 frames; if `mixed`, every second one has other encoder settings. */
function cuts(frames: number, mixed: boolean): Cut[] {
  return Array.from({ length: Math.ceil(frames / 7) }, (_, i) => ({
    frames: Math.min(7, frames - i * 7),
    encoder: 'libx264' as const,
    settings: mixed && i % 2 === 1 ? other : medium,
  }));
}

const timestamps = (path: string) => frameMd5(path).map((line) => line.split(',')[2]?.trim());

test.each([
  ['constant frame rate', 'a.mp4', { rate: '30000/1001' }],
  [
    'variable frame rate',
    'a.mp4',
    { filter: "settb=1/90000,setpts='N*3003+mod(N\\,5)*777+if(gt(N\\,25)\\,50000\\,0)'" },
  ],
  ['Matroska', 'a.mkv', {}],
])(
  'segments with different encoder settings keep the exact timestamps of the source: %s',
  { tags: ['slow'] },
  async (_, name, request) => {
    const folder = temporaryFolder();
    const opened = await openMedia(makeClip(join(folder, name), request));
    const segments = await makeSegments(opened, folder, cuts(opened.index.pts.length, true));
    const { outputPath, expected } = await finish(opened, folder, segments, 2);
    await verifyOutput(outputPath, expected);
    expect(timestamps(outputPath)).toEqual(timestamps(opened.media.path));
    // A strict decoder reports no error in audio or video.
    expect(ffmpeg('-xerror', '-i', outputPath, '-f', 'null', '-')).toBe('');
  },
);

describe('a faulty finished file fails verification', () => {
  test('missing frames', async () => {
    const folder = temporaryFolder();
    const opened = await openMedia(makeClip(join(folder, 'a.mp4')));
    const segments = await makeSegments(opened, folder, cuts(opened.index.pts.length, false));
    const { outputPath, expected } = await finish(opened, folder, segments.slice(0, -1), 1);
    await expect(verifyOutput(outputPath, expected)).rejects.toThrow(/has 49 frames instead of 50/);
  });

  test('missing audio, wrong size, wrong colours', async () => {
    const folder = temporaryFolder();
    const opened = await openMedia(makeClip(join(folder, 'a.mp4')));
    const segments = await makeSegments(opened, folder, cuts(opened.index.pts.length, false));
    const { outputPath, expected } = await finish(opened, folder, segments, 1);
    const bare = join(folder, 'bare.mp4');
    ffmpeg('-i', outputPath, '-an', '-c', 'copy', bare);
    await expect(verifyOutput(bare, expected)).rejects.toThrow(/has 0 audio streams instead of 1/);
    const wider = { ...expected, format: { ...expected.format, width: 128 } };
    await expect(verifyOutput(outputPath, wider)).rejects.toThrow(/64x48 instead of 128x48/);
    const bt2020 = { ...expected, color: { ...expected.color, matrix: 'bt2020nc' } };
    await expect(verifyOutput(outputPath, bt2020)).rejects.toThrow(/has colour properties/);
  });

  test('a truncated segment is detected when its boxes are listed', async () => {
    const folder = temporaryFolder();
    const opened = await openMedia(makeClip(join(folder, 'a.mp4'), { frames: 7 }));
    const [segment = ''] = await makeSegments(opened, folder, cuts(7, false));
    const boxes = await listBoxes(segment);
    expect(boxes.map((box) => box.type)).toEqual(['ftyp', 'moov', 'moof', 'mdat', 'mfra']);
    const truncated = join(folder, 'truncated.mp4');
    copyFileSync(segment, truncated);
    truncateSync(truncated, (boxes[3]?.offset ?? 0) + 20);
    await expect(listBoxes(truncated)).rejects.toThrow(VerificationError);
  });
});

// Real files with subtitles, an unusual colour matrix, variable frame rate, non-square pixels and an animated GIF.
test
  .skipIf(whyNoSharedMedia !== null)
  .each([
    'awkward/ax_sample_with_srt.mkv',
    'awkward/ax_bt601.mov',
    'awkward/ax_sample_sef_slow_motion.mp4',
    'awkward/oh_SarVui.264',
    'faces/classroom.gif',
  ])(
  `real files keep every frame and its timestamp: %s (${whyNoSharedMedia ?? 'shared media found'})`,
  { tags: ['slow'] },
  async (name) => {
    const folder = temporaryFolder();
    const opened = await openMedia(sharedMedia(name));
    const segments = await makeSegments(opened, folder, cuts(opened.index.pts.length, false));
    const { outputPath, expected } = await finish(opened, folder, segments, 1);
    await verifyOutput(outputPath, expected);
  },
);
