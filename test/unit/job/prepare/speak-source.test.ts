import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../../src/config/recipe-presets.ts';
import { fingerprintOf } from '../../../../src/domain/fingerprint.ts';
import type { JobOrigin } from '../../../../src/domain/job.ts';
import type { LipSyncRecipe } from '../../../../src/domain/recipe.ts';
import { assertUnchanged } from '../../../../src/job/prepare/assert-unchanged.ts';
import { makeSubstitute } from '../../../../src/job/prepare/make-substitute.ts';
import { prepareSource } from '../../../../src/job/prepare/prepare-source.ts';
import { speechOf } from '../../../../src/job/prepare/speech-of-job.ts';
import { outputColor } from '../../../../src/media/decode/color-conversion.ts';
import { bitsPerComponent } from '../../../../src/media/probe/stream-info.ts';
import { ffmpeg, frameMd5 } from '../../../helpers/clips.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork, type JobAtWork, type JobRequest } from '../job-fixture.ts';

interface SpokenJob extends JobAtWork {
  readonly audio: string;
}

/** A lip-sync job for a clip, with a speech of so many seconds beside it. */
async function spokenJob(
  seconds: number,
  {
    keys = {},
    change = () => undefined,
    ...request
  }: JobRequest & {
    readonly keys?: Partial<LipSyncRecipe>;
    /** Changes the video before it is queued. */
    readonly change?: (path: string) => void;
  },
): Promise<SpokenJob> {
  const work = await jobAtWork({ clip: {}, ...request });
  const { sourcePath } = work.job;
  const audio = join(work.home.input, 'clip.wav');
  ffmpeg('-f', 'lavfi', '-i', `sine=frequency=300:duration=${seconds}`, audio);
  change(sourcePath);
  const recipe = { ...PIPELINE_DEFAULTS['lip-sync'], ...keys, audio };
  const job = { ...work.job, recipe, fingerprint: await fingerprintOf(sourcePath, recipe) };
  return { ...work, job, context: { ...work.context, job }, audio };
}

/** MD5 of the image of each frame. */
function images(path: string): string[] {
  return frameMd5(path).map((line) => line.split(',').at(-1)?.trim() ?? '');
}

/** Seconds of audio that can be decoded. */
function audioSeconds(path: string): number {
  const text = ffmpeg('-i', path, '-vn', '-ar', '8000', '-ac', '1', '-f', 'framemd5', '-');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.reduce((sum, line) => sum + Number(line.split(',')[3]), 0) / 8000;
}

function times(path: string): number[] {
  return frameMd5(path).map((line) => Number(line.split(',')[2]));
}

test.each([
  ['loop', (own: readonly string[]) => [...own, ...own, ...own.slice(0, 5)]],
  ['ping-pong', (own: readonly string[]) => [...own, ...own.toReversed(), ...own.slice(0, 5)]],
  ['hold', (own: readonly string[]) => [...own, ...Array.from({ length: 15 }, () => own.at(-1) ?? '')]],
] as const)(
  'a video that is shorter than the speech continues (%s) with the frames of the source, bit for bit',
  async (extend, wanted) => {
    const { context, folder, job } = await spokenJob(1, { clip: { frames: 10 }, keys: { extend } });
    const { media, index } = await prepareSource(context, folder);
    expect(images(media.path)).toEqual(wanted(images(job.sourcePath)));
    expect(index.pts).toHaveLength(25);
    expect(times(media.path)).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect(media.others.map(({ kind, codec }) => `${kind} ${codec}`)).toEqual(['audio aac']);
    expect(audioSeconds(media.path)).toBeGreaterThan(0.98);
  },
);

test('a longer video ends with the speech; a resumed job makes nothing again, and a retry makes the same frames', async () => {
  const { context, folder, job, lines } = await spokenJob(0.4, { clip: { frames: 20, audio: true } });
  const first = await prepareSource(context, folder);
  expect(images(first.media.path)).toEqual(images(job.sourcePath).slice(0, 10));
  expect(audioSeconds(first.media.path)).toBeGreaterThan(0.39);
  expect(first.original?.index.pts).toHaveLength(20);
  const [count, { mtimeMs }] = [lines.length, statSync(first.media.path)];
  expect(await prepareSource(context, folder)).toEqual(first);
  expect([lines.length, statSync(first.media.path).mtimeMs]).toEqual([count, mtimeMs]);
  // As after a permanent failure. The index has a hash of each frame.
  await folder.removeCopies();
  expect(existsSync(folder.spoken)).toBe(false);
  expect((await prepareSource(context, folder)).index).toEqual(first.index);
});

test('frames of odd sizes, and RGB, are kept', async () => {
  const odd = { encoder: ['-c:v', 'ffv1', '-f', 'matroska', '-pix_fmt', 'bgr0'], width: 33, height: 25 };
  const { context, folder, job } = await spokenJob(0.2, { clip: { frames: 5, ...odd } });
  const { media } = await prepareSource(context, folder);
  const rgb = (path: string) => ffmpeg('-i', path, '-an', '-pix_fmt', 'rgb24', '-f', 'framemd5', '-');
  const sums = (path: string) => rgb(path).match(/[0-9a-f]{32}/g);
  expect(sums(media.path)).toEqual(sums(job.sourcePath));
});

test.each(['yuv420p12le', 'yuv422p16le', 'gbrp10le', 'rgb48le'])(
  'no bit of %s frames is lost, also in frames that repeat themselves',
  async (format) => {
    // Of an odd size, and with values that need all bits.
    const clip = { encoder: ['-c:v', 'ffv1', '-f', 'matroska', '-pix_fmt', format], width: 33, height: 25 };
    const value = "'mod(X*7919+Y*10433+N*3137,65536)'";
    const deep = { filter: `format=gbrp16le,geq=r=${value}:g=${value}:b=${value}`, frames: 3 };
    const { context, folder, job } = await spokenJob(0.2, { clip: { ...clip, ...deep } });
    const { media } = await prepareSource(context, folder);
    const sums = (path: string) =>
      ffmpeg('-i', path, '-an', '-pix_fmt', format, '-f', 'framemd5', '-').match(/[0-9a-f]{32}/g) ?? [];
    const own = sums(job.sourcePath);
    expect(new Set(own).size).toBe(3);
    expect(sums(media.path)).toEqual([...own, ...own.slice(0, 2)]);
    expect(media.video.bitsPerComponent).toBe(bitsPerComponent(format));
  },
);

test.each([
  ['full range in 12 bits', {}, ['-c:v', 'ffv1', '-pix_fmt', 'yuv420p12le', '-color_range', 'pc']],
  [
    'HDR',
    {},
    [
      ...[
        '-c:v',
        'libx265',
        '-pix_fmt',
        'yuv420p10le',
        '-colorspace',
        'bt2020nc',
        '-color_primaries',
        'bt2020',
      ],
      ...['-color_trc', 'smpte2084', '-x265-params'],
      'log-level=error:hdr10=1:master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,1):max-cll=1000,400',
    ],
  ],
  // Without tags, the number of lines decides.
  ['fewer lines', { width: 1280, height: 720 }, ['-c:v', 'libx264', '-preset', 'ultrafast']],
] as const)('the colours of a source stay what they are: %s', async (_, size, encoder) => {
  const clip = { frames: 3, encoder: [...encoder, '-f', 'matroska'], ...size };
  const { context, folder } = await spokenJob(0.2, { clip, keys: { resolution: '480p' } });
  const { media, original } = await prepareSource(context, folder);
  const source = original?.media.video ?? expect.fail('There is no original.');
  expect(outputColor(media.video)).toEqual(outputColor(source));
  expect(media.video.hdr).toEqual(source.hdr);
  expect(source.hdr === null).toBe(!(encoder as readonly string[]).includes('libx265'));
});

test('interlaced frames are deinterlaced, as in other jobs', async () => {
  const { context, folder, lines } = await spokenJob(1, {
    clip: {
      ...{ width: 320, height: 240, frames: 25, rate: '50', filter: 'tinterlace=interleave_top' },
      encoder: ['-c:v', 'mpeg2video', '-flags', '+ildct+ilme', '-b:v', '8M', '-f', 'matroska'],
    },
  });
  const { index } = await prepareSource(context, folder);
  expect(lines.join('\n')).toMatch(/interlaced, top field first: deinterlaced/);
  expect(index.fields.treatment).toBe('none');
});

test('a damaged source is rejected like one of any other job', async () => {
  const half = (path: string): void => {
    const file = openSync(path, 'r+');
    ftruncateSync(file, Math.floor(statSync(path).size / 3));
    closeSync(file);
  };
  const { context, folder } = await spokenJob(1, {
    clip: {
      ...{ width: 320, height: 240, frames: 60 },
      encoder: ['-c:v', 'libx264', '-preset', 'ultrafast', '-movflags', '+faststart'],
    },
    change: half,
  });
  await expect(prepareSource(context, folder)).rejects.toMatchObject({ code: 'DAMAGED' });
  expect(existsSync(folder.spoken)).toBe(false);
});

test.each(['yuv420p', 'yuv420p10le', 'gray'])(
  'frames of an odd size in full range (%s) keep their brightness',
  async (format) => {
    const encoder = ['-c:v', 'ffv1', '-f', 'matroska', '-pix_fmt', format, '-color_range', 'pc'];
    const filter = `format=gray,geq=lum='mod(X*8+Y*31,256)',scale=out_range=pc,format=${format}`;
    const clip = { encoder, filter, width: 33, height: 25, frames: 5 };
    const { context, folder, job } = await spokenJob(0.2, { clip });
    const { media } = await prepareSource(context, folder);
    const brightness = (path: string) =>
      ffmpeg('-i', path, '-an', '-vf', 'extractplanes=y', '-f', 'framemd5', '-').match(/[0-9a-f]{32}/g);
    expect(brightness(media.path)).toEqual(brightness(job.sourcePath));
    expect(media.video.color.range).toBe('pc');
  },
);

test('the disk is checked before the video without loss is made', async () => {
  // Frames of which no disk has room for as many as the speech is long.
  const clip = { width: 1024, height: 1024, frames: 1, rate: '1000000', audio: false };
  const { context, folder } = await spokenJob(100, { clip });
  await expect(prepareSource(context, folder)).rejects.toMatchObject({ code: 'DISK_FULL' });
});

/** A speech of a video in the input folder, in a folder of it that somebody has replaced by a link to another folder. */
async function linkedSpeech(origin: JobOrigin) {
  const work = await spokenJob(0.2, { clip: { frames: 5 } });
  const elsewhere = temporaryFolder();
  renameSync(work.audio, join(elsewhere, 'clip.wav'));
  symlinkSync(elsewhere, join(work.home.input, 'voices'));
  const recipe = { ...work.job.recipe, audio: join(work.home.input, 'voices/clip.wav') };
  return prepareSource({ ...work.context, job: { ...work.job, origin, recipe } }, work.folder);
}

test('the speech that a job opens must be in the input folder, whatever its path was when it was queued', async () => {
  const refused = {
    code: 'BAD_RECIPE',
    message: expect.stringMatching(
      /^The speech of clip\.mp4 is outside of .*\/input; put clip\.wav beside/,
    ) as unknown,
  };
  await expect(linkedSpeech('watch')).rejects.toMatchObject(refused);
  await expect(linkedSpeech('add')).rejects.toMatchObject(refused);
  // Whoever runs a command may read the file anyway.
  expect((await linkedSpeech('run')).index.pts).toHaveLength(5);
});

test('a job reads only the copy of the speech that it has checked', async () => {
  const { context, folder, audio } = await spokenJob(0.2, { clip: { frames: 5 } });
  const prepared = await prepareSource(context, folder);
  writeFileSync(audio, 'something else');
  const speech = await speechOf(context, { ...prepared, plan: PLAN });
  expect(speech?.mel.length).toBeGreaterThan(80);
});

test('a pipe that takes the place of the speech does not block the job, which has its copy', async () => {
  const { context, folder, job, audio } = await spokenJob(0.2, { clip: { frames: 5 } });
  await prepareSource(context, folder);
  const path = join(folder.straight, 'clip.mp4');
  await makeSubstitute(context, path, (temporaryPath) => {
    rmSync(audio);
    execFileSync('mkfifo', [audio]);
    writeFileSync(temporaryPath, 'a video');
    return Promise.resolve();
  });
  expect(existsSync(path)).toBe(true);
  // Without the copy, the pipe is not read either.
  await expect(assertUnchanged(job, context.signal)).rejects.toMatchObject({
    code: 'NOT_A_REGULAR_FILE',
    message: 'clip.wav, the speech of clip.mp4, is no longer a regular file.',
  });
});

test('a speech that has become a link is not read', async () => {
  const { context, folder, audio } = await spokenJob(0.2, { clip: { frames: 5 } });
  renameSync(audio, `${audio}.before`);
  symlinkSync(`${audio}.before`, audio);
  await expect(prepareSource(context, folder)).rejects.toMatchObject({
    code: 'NOT_A_REGULAR_FILE',
    message: 'clip.wav, the speech of clip.mp4, is no longer a regular file.',
  });
});

test.each([
  [
    'vanished',
    (audio: string) => rmSync(audio),
    'SOURCE_MISSING',
    'clip.wav, the speech of clip.mp4, is gone; put it back to resume the job.',
  ],
  [
    'changed',
    (audio: string) => writeFileSync(audio, 'x'),
    'SOURCE_CHANGED',
    'clip.mp4 or its speech clip.wav was changed or replaced after it was queued.',
  ],
])('a speech that has %s is not blamed on the video', async (_, change, code, message) => {
  const { context, folder, audio } = await spokenJob(0.2, { clip: { frames: 5 } });
  change(audio);
  await expect(prepareSource(context, folder)).rejects.toMatchObject({ code, message });
});
