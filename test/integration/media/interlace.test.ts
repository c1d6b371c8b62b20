import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeFields } from '../../../src/media/fields/describe-fields.ts';
import { PROGRESSIVE } from '../../../src/media/fields/field-plan.ts';
import { ffmpeg } from '../../helpers/clips.ts';
import { meanDifference } from '../../helpers/images.ts';
import { openMedia, pixelsFrom, type Opened } from '../../helpers/media-steps.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function allPixels(opened: Opened): Promise<Buffer[]> {
  return pixelsFrom(opened, 0, opened.index.pts.length);
}

/** The frames as they are stored, without any filter for fields. */
function storedPixels(opened: Opened): Promise<Buffer[]> {
  return allPixels({ ...opened, index: { ...opened.index, fields: PROGRESSIVE } });
}

const differing = (a: readonly Buffer[], b: readonly Buffer[]): number[] =>
  a.flatMap((frame, i) => (frame.equals(b[i] ?? Buffer.alloc(0)) ? [] : [i]));

const range = (first: number, end: number): number[] =>
  Array.from({ length: end - first }, (_, i) => first + i);

interface Interlaced {
  readonly name: string;
  readonly order: 'tff' | 'bff';
  readonly encoder: string;
  readonly size?: string;
}

const FIELDS = '-flags +ilme+ildct';
const MPEG4 = `-c:v mpeg4 -qscale:v 2 ${FIELDS}`;
const MPEG2 = `-c:v mpeg2video -qscale:v 2 ${FIELDS}`;
const X264 = '-c:v libx264 -preset veryfast -crf 12';

/** A picture that scrolls to the side, at this many images a second. */
function scrolling(size: string, rate: string, step = 0.012): string {
  return `testsrc2=size=${size}:rate=${rate},trim=end_frame=1,loop=-1:1,setpts=N/(${rate})/TB,scroll=h=${step}`;
}

/** A clip that was taken in fields, 50 a second; each two of them are stored as one frame. */
function interlacedClip(
  path: string,
  { order, encoder, size = '320x240' }: Omit<Interlaced, 'name'>,
  first = 0,
) {
  const weave = `tinterlace=${order === 'tff' ? 'interleave_top' : 'interleave_bottom'}`;
  const mark =
    encoder.includes(FIELDS) || encoder.includes('dvvideo') ? `setfield=${order}` : 'setfield=prog';
  const image = `${scrolling(size, '50')},trim=start_frame=${first * 2},setpts=PTS-STARTPTS,${weave},${mark}`;
  ffmpeg('-f', 'lavfi', '-i', image, '-frames:v', '25', '-pix_fmt', 'yuv420p', ...encoder.split(' '), path);
  return path;
}

/** The moments at which the first fields of an interlaced clip were taken, as whole images. */
async function firstMoments(folder: string, size = '320x240') {
  const path = join(folder, 'moments.mkv');
  const image = `${scrolling(size, '50')},select=eq(mod(n\\,2)\\,0)`;
  ffmpeg('-f', 'lavfi', '-i', image, '-frames:v', '25', '-pix_fmt', 'yuv420p', ...X264.split(' '), path);
  return storedPixels(await openMedia(path));
}

describe('interlaced frames are found by what they show, and deinterlaced', () => {
  const isQuick = ({ name }: Interlaced): boolean => ['dv.avi', 'unmarked.mkv'].includes(name);
  const clips: Interlaced[] = [
    { name: 'dv.avi', order: 'bff', encoder: '-c:v dvvideo', size: '720x576' },
    { name: 'dv.mov', order: 'bff', encoder: '-c:v dvvideo', size: '720x576' },
    { name: 'mpeg4.avi', order: 'tff', encoder: MPEG4 },
    { name: 'mpeg4.mp4', order: 'bff', encoder: MPEG4 },
    { name: 'mpeg2.ts', order: 'tff', encoder: MPEG2 },
    { name: 'unmarked.mkv', order: 'tff', encoder: X264 },
    { name: 'unmarked.mp4', order: 'bff', encoder: X264 },
  ];
  const expectDeinterlaced = async (clip: Interlaced) => {
    const folder = temporaryFolder();
    const opened = await openMedia(interlacedClip(join(folder, clip.name), clip));
    const { fields, pts } = opened.index;
    const run = { first: 0, end: pts.length, order: clip.order };
    expect(fields).toMatchObject({ treatment: 'deinterlace', runs: [run], pulldown: null });
    expect(describeFields(opened.media, opened.index)[0]).toMatch(/^25 of 25 frames \(100 %\) interlaced, /);
    const [found, stored] = [await allPixels(opened), await storedPixels(opened)];
    const moments = await firstMoments(folder, clip.size);
    for (const frame of range(1, 24)) {
      const moment = moments[frame] ?? Buffer.alloc(0);
      const [now, before] = [found[frame], stored[frame]].map((each) =>
        meanDifference(each ?? moment, moment),
      );
      expect([frame, (now ?? 0) < 0.7 * (before ?? 0)]).toEqual([frame, true]);
    }
  };
  test.each(clips.filter(isQuick))('$name, $order', expectDeinterlaced);
  test.each(clips.filter((clip) => !isQuick(clip)))('$name, $order', { tags: ['slow'] }, expectDeinterlaced);
});

/** A program stream whose first 25 frames are progressive and whose next 25 are interlaced. */
function mixedClip(folder: string): string {
  const [plain, fields, mixed] = ['plain.m2v', 'fields.m2v', 'mixed.vob'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const image = scrolling('320x240', '25', 0.024);
  ffmpeg('-f', 'lavfi', '-i', image, '-frames:v', '25', '-c:v', 'mpeg2video', '-qscale:v', '2', plain);
  interlacedClip(fields, { order: 'tff', encoder: MPEG2 }, 25);
  writeFileSync(join(folder, 'both.m2v'), Buffer.concat([readFileSync(plain), readFileSync(fields)]));
  ffmpeg('-i', join(folder, 'both.m2v'), '-c', 'copy', '-f', 'vob', mixed);
  return mixed;
}

test('in a video that turns interlaced, the progressive frames stay bit for bit', async () => {
  const opened = await openMedia(mixedClip(temporaryFolder()));
  const count = opened.index.pts.length;
  // ffmpeg may drop the last progressive frame when it splits the stream into packets.
  expect(count).toBeGreaterThanOrEqual(49);
  expect(opened.index.fields.runs).toEqual([{ first: count - 25, end: count, order: 'tff' }]);
  expect(differing(await allPixels(opened), await storedPixels(opened))).toEqual(range(count - 25, count));
  expect(describeFields(opened.media, opened.index)).toEqual([
    `25 of ${count} frames (${Math.round(2500 / count)} %) interlaced, top field first: deinterlaced`,
  ]);
});

test('progressive frames that are marked as interlaced stay bit for bit', async () => {
  const path = join(temporaryFolder(), 'psf.mp4');
  const marked = 'testsrc2=size=320x240:rate=25,setfield=tff';
  const encoder = [...X264.split(' '), ...FIELDS.split(' '), '-x264-params', 'tff=1'];
  ffmpeg('-f', 'lavfi', '-i', marked, '-frames:v', '30', '-pix_fmt', 'yuv420p', ...encoder, path);
  const opened = await openMedia(path);
  expect(opened.media.video.interlaced).toBe(true);
  expect(opened.index.fields).toMatchObject({ treatment: 'none', markedCount: 30 });
  expect(differing(await allPixels(opened), await storedPixels(opened))).toEqual([]);
  expect(describeFields(opened.media, opened.index)).toEqual([
    'marked as interlaced, but no interlaced frames found: left unchanged',
  ]);
  const turned = { ...opened.media, video: { ...opened.media.video, rotationDegrees: 90 } };
  expect(describeFields(turned, opened.index)).toEqual([
    'marked as interlaced, but videos of this pixel format, size or rotation are not deinterlaced: left unchanged',
  ]);
});

test.each(['96x72', '320x240'])(
  'thin lines that move in a progressive video of %s are no combs',
  async (size) => {
    const path = join(temporaryFolder(), 'a.mkv');
    const image = `testsrc2=size=${size}:rate=25`;
    ffmpeg('-f', 'lavfi', '-i', image, '-frames:v', '75', '-pix_fmt', 'yuv420p', ...X264.split(' '), path);
    expect((await openMedia(path)).index.fields).toEqual(PROGRESSIVE);
  },
);

/** Film of 24 frames a second, pulled down to 30 frames of fields. */
function pulledDown(folder: string): string {
  const path = join(folder, 'film.mpg');
  const film = `${scrolling('320x240', '24000/1001')},telecine=pattern=23`;
  ffmpeg('-f', 'lavfi', '-i', film, '-frames:v', '60', ...MPEG2.split(' '), '-f', 'vob', path);
  return path;
}

test('the frames of telecined film are put together again, and none is dropped', async () => {
  const folder = temporaryFolder();
  const opened = await openMedia(pulledDown(folder));
  expect(opened.index.fields).toMatchObject({ treatment: 'match-fields', pulldown: 'hard' });
  expect(opened.index.pts).toHaveLength(60);
  expect(describeFields(opened.media, opened.index)[0]).toMatch(
    /^hard telecine \(3:2 pulldown, 100 % of the frames, top field first\): film frames restored/,
  );
  const film = join(folder, 'film.mkv');
  const image = scrolling('320x240', '24000/1001');
  ffmpeg('-f', 'lavfi', '-i', image, '-frames:v', '50', '-pix_fmt', 'yuv420p', ...X264.split(' '), film);
  const originals = await storedPixels(await openMedia(film));
  const nearest = (frame: Buffer) => Math.min(...originals.map((each) => meanDifference(frame, each)));
  const [found, stored] = [await allPixels(opened), await storedPixels(opened)];
  // Of the stored frames, two in five mix two film frames.
  const clean = Math.max(...range(0, 20).map((i) => nearest(stored[i * 3] ?? Buffer.alloc(0)))) / 2;
  expect(found.slice(1, -1).filter((frame) => nearest(frame) > clean)).toHaveLength(0);
  expect(stored.filter((frame) => nearest(frame) > clean).length).toBeGreaterThan(20);
});

test('film whose pulldown is only in flags is named and stays bit for bit', async () => {
  const path = join(temporaryFolder(), 'soft.mkv');
  // Frames that last three and two fields in turn.
  const film = "testsrc2=size=320x240:rate=24,settb=1/60000,setpts='floor(N/2)*5005+mod(N,2)*3003'";
  ffmpeg('-f', 'lavfi', '-i', film, '-frames:v', '48', '-fps_mode', 'passthrough', ...X264.split(' '), path);
  const opened = await openMedia(path);
  expect(opened.index.fields).toMatchObject({ treatment: 'none', pulldown: 'soft' });
  expect(differing(await allPixels(opened), await storedPixels(opened))).toEqual([]);
});

test.each([
  ['mixed', mixedClip, [1, 22, 23, 24, 25, 26, 40, 47]],
  ['telecined', pulledDown, [1, 7, 30, 58]],
])('%s frames are the same wherever decoding starts again', async (_, make, starts) => {
  const opened = await openMedia(make(temporaryFolder()));
  const whole = await allPixels(opened);
  for (const first of starts) {
    const count = Math.min(4, whole.length - first);
    expect([first, differing(await pixelsFrom(opened, first, count), whole.slice(first))]).toEqual([
      first,
      [],
    ]);
  }
});

test.skipIf(whyNoSharedMedia !== null).each([
  ['everyday/dvi.avi', [{ first: 0, end: 10, order: 'bff' }]],
  ['everyday/mix.vob', [{ first: 25, end: 50, order: 'tff' }]],
  ['everyday/realpsf.mp4', []],
  ['everyday/gap.ts', []],
  ['everyday/held.mp4', []],
  ['everyday/cuttail.mkv', []],
  ['upscale/MR1_MW_A.264', []],
  ['upscale/VID_1280x720_cabac_temporal_direct.264', []],
  ['faces/one-by-one-person-detection.mp4', []],
])('%s of the shared media', async (name, runs) => {
  const { index } = await openMedia(sharedMedia(name));
  expect(index.fields.runs).toEqual(runs);
});
