import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROGRESSIVE } from '../../../src/media/fields/field-plan.ts';
import { muxOutput } from '../../../src/media/join/mux.ts';
import { outputTiming } from '../../../src/media/encode/output-timing.ts';
import { probeMedia } from '../../../src/media/probe/probe-media.ts';
import { planStreams } from '../../../src/media/join/stream-plan.ts';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { LIMITS, makeSegments, openMedia, passThrough, pixelsFrom } from '../../helpers/media-steps.ts';
import { meanDifference } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

describe('interlaced video', () => {
  test('is deinterlaced frame by frame, with the same result wherever decoding starts', async () => {
    const path = makeClip(join(temporaryFolder(), 'a.mp4'), {
      rate: '50',
      frames: 80,
      filter: 'scroll=h=0.05,tinterlace=mode=interleave_top',
      encoder: [
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-g',
        '6',
        '-flags',
        '+ilme+ildct',
        '-x264opts',
        'tff=1',
      ],
    });
    const opened = await openMedia(path);
    expect(opened.media.video.interlaced).toBe(true);
    const count = opened.index.pts.length;
    const notes: string[] = [];
    const whole = await pixelsFrom(opened, 0, count, notes);
    const tail = await pixelsFrom(opened, count - 5, 5, notes);
    expect(notes).toEqual([]);
    expect(tail.every((frame, i) => frame.equals(whole[count - 5 + i] ?? frame.subarray(1)))).toBe(true);
    const combed = { ...opened, index: { ...opened.index, fields: PROGRESSIVE } };
    const asStored = await pixelsFrom(combed, 0, count);
    const [deinterlaced, stored] = [whole[10], asStored[10]];
    expect(meanDifference(deinterlaced ?? Buffer.alloc(1), stored ?? Buffer.alloc(1))).toBeGreaterThan(1);
  });
});

test('a change of resolution within a stream loses no frame, and each frame is scaled to the first size', async () => {
  const folder = temporaryFolder();
  const parts = [
    ['64x48', 'a.264'],
    ['128x96', 'b.264'],
    ['128x48', 'c.264'],
  ].map(([size = '', name = '']) => {
    const part = join(folder, name);
    ffmpeg('-f', 'lavfi', '-i', `color=red:size=${size}:rate=25`, '-frames:v', '10', '-bf', '0', part);
    return part;
  });
  const path = join(folder, 'changing.264');
  writeFileSync(path, Buffer.concat(parts.map((part) => readFileSync(part))));
  const opened = await openMedia(path);
  expect(opened.index.pts.length).toBe(30);
  const notes: string[] = [];
  const [first, last] = [await pixelsFrom(opened, 0, 1, notes), await pixelsFrom(opened, 15, 15, notes)];
  expect(notes).toEqual([]);
  const redAt = (frame: Buffer | undefined, x: number, y: number) => frame?.[(y * 64 + x) * 3] ?? -1;
  expect(redAt(first[0], 32, 2)).toBeGreaterThan(200);
  // Frame 15 has twice the size and the same aspect ratio; frame 25 is wider and gets bars above and below.
  expect(redAt(last[0], 32, 2)).toBeGreaterThan(200);
  expect(redAt(last[10], 32, 24)).toBeGreaterThan(200);
  expect(redAt(last[10], 32, 2)).toBeLessThan(20);
});

test('HDR metadata is copied to the finished file', async () => {
  const folder = temporaryFolder();
  const mastering = 'G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)';
  const path = join(folder, 'hdr.mkv');
  ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=size=128x72:rate=25', '-frames:v', '4', '-pix_fmt', 'yuv420p10le'],
    ...['-c:v', 'libx265', '-preset', 'ultrafast', '-color_primaries', 'bt2020', '-color_trc', 'smpte2084'],
    ...[
      '-colorspace',
      'bt2020nc',
      '-x265-params',
      `log-level=error:master-display=${mastering}:max-cll=1000,400`,
    ],
    path,
  );
  const { result, opened } = await passThrough(path, folder, 'libx265');
  expect(opened.media.video.hdr).toMatchObject({ lightLevel: { maxContent: 1000, maxAverage: 400 } });
  expect(opened.media.video.hdr?.mastering).toMatchObject({ red: [34000, 16000], maxLuminance: 10_000_000 });
  expect(result.video.hdr).toEqual(opened.media.video.hdr);
  expect(result.video.color).toMatchObject({
    transfer: 'smpte2084',
    matrix: 'bt2020nc',
    primaries: 'bt2020',
  });
});

test('transfer functions with other names in ffmpeg options are kept', async () => {
  const folder = temporaryFolder();
  const path = makeClip(join(folder, 'pal.mp4'), {
    frames: 5,
    encoder: [
      ...['-c:v', 'libx264', '-color_primaries', 'bt470bg', '-color_trc', 'gamma28'],
      ...['-colorspace', 'bt470bg', '-color_range', 'tv'],
    ],
  });
  const { result } = await passThrough(path, folder);
  expect(result.video.color).toMatchObject({ transfer: 'bt470bg', primaries: 'bt470bg', matrix: 'bt470bg' });
});

describe('audio', () => {
  test('stays in sync when a dropped stream starts first', async () => {
    const folder = temporaryFolder();
    const clip = makeClip(join(folder, 'a.ts'), { frames: 25 });
    const early = join(folder, 'early.ts');
    // The second audio track starts 0.7 seconds before the video and the first audio track.
    ffmpeg('-itsoffset', '0.7', '-i', clip, '-i', clip, '-map', '0', '-map', '1:a', '-c', 'copy', early);
    const opened = await openMedia(early);
    const others = opened.media.others.filter((stream) => stream.index !== opened.media.others.at(-1)?.index);
    const media = { ...opened.media, others };
    const settings = { crf: 20, preset: 'ultrafast', threads: 1 };
    const cut = { frames: opened.index.pts.length, encoder: 'libx264' as const, settings };
    const segmentPaths = await makeSegments(opened, folder, [cut]);
    const outputPath = join(folder, 'out.mkv');
    const timing = outputTiming(opened.index, media);
    await muxOutput({
      ...{ source: media, segmentPaths, timing, codec: 'h264', encoderCount: 1, outputPath },
      ...{ plan: planStreams(media), captions: null },
    });
    const starts = (file: string) => [firstPts(file, 'v:0'), firstPts(file, 'a:0')];
    const [[video = 0, audio = 0], [videoOut = 0, audioOut = 0]] = [starts(early), starts(outputPath)];
    expect(Math.abs(audio - video - (audioOut - videoOut))).toBeLessThan(0.04);
  });
});

/** Timestamp in seconds of the first frame of a stream, as decoded by ffmpeg. */
function firstPts(path: string, stream: string): number {
  const text = ffmpeg('-copyts', '-i', path, '-map', `0:${stream}`, '-f', 'framehash', '-');
  const [, num = '1', den = '1'] = /#tb 0: (\d+)\/(\d+)/.exec(text) ?? [];
  const line = text.split('\n').find((each) => each !== '' && !each.startsWith('#')) ?? '';
  return (Number(line.split(',')[2]) * Number(num)) / Number(den);
}

describe('a video that cannot be processed correctly is rejected', () => {
  test('an encrypted video', async () => {
    const folder = temporaryFolder();
    const clip = makeClip(join(folder, 'a.mp4'), { frames: 5, audio: false });
    const path = join(folder, 'drm.mp4');
    ffmpeg(
      ...['-i', clip, '-c', 'copy', '-encryption_scheme', 'cenc-aes-ctr'],
      ...['-encryption_key', '76a6c65c5ea762046bd749a2e632ccbb'],
      ...['-encryption_kid', 'a7e61c373e219033c21091fa607bf3b8', path],
    );
    await expect(probeMedia(path, LIMITS)).rejects.toMatchObject({ code: 'ENCRYPTED' });
  });

  test('a colour matrix that swscale does not support', async () => {
    const path = makeClip(join(temporaryFolder(), 'a.mp4'), {
      frames: 2,
      encoder: ['-c:v', 'libx264', '-colorspace', 'ycgco'],
    });
    await expect(probeMedia(path, LIMITS)).rejects.toMatchObject({ code: 'UNSUPPORTED_COLOR' });
  });
});

test('the title, language and flags of the video are kept, and so is a second video', async () => {
  const folder = temporaryFolder();
  const [clip, second] = [
    makeClip(join(folder, 'one.mp4'), { frames: 5 }),
    makeClip(join(folder, 'two.mp4'), { frames: 5, width: 32, height: 32 }),
  ];
  const path = join(folder, 'both.mkv');
  ffmpeg(
    ...['-i', clip, '-i', second, '-map', '0', '-map', '1:v', '-c', 'copy'],
    ...[
      '-metadata:s:v:0',
      'title=The film',
      '-metadata:s:v:0',
      'language=fra',
      '-metadata:s:a:0',
      'language=deu',
    ],
    path,
  );
  copyFileSync(path, join(folder, 'copy.mkv'));
  const { outputPath, result } = await passThrough(path, folder);
  expect(result.others.map(({ kind, language }) => [kind, language])).toEqual([
    ['audio', 'deu'],
    ['video', null],
  ]);
  expect(result.video.dispositions).toEqual(['default']);
  const metadata = ffmpeg('-i', outputPath, '-map', '0:v:0', '-c', 'copy', '-f', 'ffmetadata', '-');
  expect(metadata).toContain('title=The film');
  expect(metadata).toContain('language=fra');
});
