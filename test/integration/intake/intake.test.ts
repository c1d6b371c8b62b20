import { describeRecipe } from '../../../src/domain/recipe.ts';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DEFAULT_RECIPE } from '../../../src/config/recipe-presets.ts';
import { TransientError } from '../../../src/domain/errors.ts';
import { setUpIntake } from '../../helpers/intake.ts';

test('a size becomes the scale of the job, and a video that is large enough is noted once and gets no job', async () => {
  const { put, settle, said, jobs, queue, intake } = setUpIntake();
  put('uhd/hd.mp4', 'one');
  put('full/hd.mp4', 'two');
  put('full/small.mp4', 'three');
  await settle();
  expect(jobs().map(({ recipe }) => recipe)).toEqual([
    { ...DEFAULT_RECIPE, scale: 4 },
    { ...DEFAULT_RECIPE, scale: 2 },
  ]);
  const why =
    'is 1920x1080, already at least the target size (1080p), so it is not upscaled (output.skipLarger)';
  await settle();
  expect(said.filter((line) => line.includes('not upscaled'))).toEqual([`full/hd.mp4 ${why}`]);
  expect(queue.seenFiles.listNoted(10)).toMatchObject([{ code: 'LARGE_ENOUGH', message: `It ${why}.` }]);
  expect(intake.rejectedCount).toBe(0);
});

test('a video that was large enough is checked again when its sidecar is removed, or the settings change', async () => {
  const output = { skipLarger: true };
  const { put, settle, jobs, inputDir } = setUpIntake(undefined, undefined, output);
  put('hd.mp4', 'one');
  put('hd.mp4.recipe.yaml', 'size: 1080p');
  put('full/hd.mp4', 'two');
  await settle();
  await settle();
  expect(jobs()).toEqual([]);
  rmSync(join(inputDir, 'hd.mp4.recipe.yaml'));
  await settle();
  await settle();
  expect(jobs()).toMatchObject([{ sourcePath: join(inputDir, 'hd.mp4') }]);
  output.skipLarger = false;
  await settle();
  expect(jobs()).toHaveLength(2);
});

test('a file that is still growing at start-up is queued only once it has stopped growing', async () => {
  const { put, intake, clock, jobs } = setUpIntake();
  const path = put('a.mp4', 'one');
  await intake.scan();
  for (const more of ['two', 'three']) {
    clock.ms += 5000;
    appendFileSync(path, more);
    await intake.scan();
    expect(jobs()).toEqual([]);
  }
  clock.ms += 4999;
  await intake.scan();
  expect(jobs()).toEqual([]);
  clock.ms += 1;
  await intake.scan();
  expect(jobs()).toMatchObject([{ sourcePath: path, state: 'queued' }]);
});

test('the wait for the second look continues across a restart', async () => {
  const first = setUpIntake();
  first.put('bad.mp4', 'half');
  await first.settle();
  expect(first.said.join()).toMatch(
    /bad\.mp4 waiting: may be incomplete \(NOT_A_VIDEO: .*\); checking again in 55 s/,
  );
  const second = setUpIntake(first.root);
  second.clock.ms = first.clock.ms + 54_999;
  await second.intake.scan();
  expect(second.intake).toMatchObject({ settlingCount: 1, rejectedCount: 0 });
  second.clock.ms += 1;
  await second.intake.scan();
  expect(second.intake).toMatchObject({ settlingCount: 0, rejectedCount: 1 });
});

test('the settling time starts over when the last writer has closed the file', async () => {
  const { put, settle, intake, clock, jobs, said } = setUpIntake();
  const file = openSync(put('a.mp4', 'whole'), 'a');
  await settle();
  for (let i = 0; i < 20; i++) {
    clock.ms += 5000;
    await intake.scan();
  }
  closeSync(file);
  clock.ms += 4999;
  await intake.scan();
  expect(jobs()).toEqual([]);
  clock.ms += 1;
  await intake.scan();
  expect(jobs()).toHaveLength(1);
  expect(said.filter((line) => line.includes('open for writing'))).toHaveLength(1);
});

test('the settling time continues across a restart', async () => {
  const first = setUpIntake();
  first.put('a.mp4', 'whole');
  await first.intake.scan();
  const second = setUpIntake(first.root);
  second.clock.ms = first.clock.ms + 5000;
  await second.intake.scan();
  expect(second.jobs()).toHaveLength(1);
});

test('a thousand scans, a touch, a rename and a copy create one job; the job follows the rename', async () => {
  const { put, intake, settle, jobs, said, inputDir } = setUpIntake();
  const path = put('a.mp4', 'the same');
  await settle();
  for (let i = 0; i < 1000; i++) await intake.scan();
  utimesSync(path, 1, 1);
  await settle();
  const renamed = join(inputDir, 'b.mp4');
  renameSync(path, renamed);
  await settle();
  put('copy/c.mp4', 'the same');
  await settle();
  expect(jobs()).toMatchObject([{ sourcePath: renamed }]);
  expect(said.filter((line) => line.includes('same content as job 1')).length).toBe(3);
});

test('different content under the same name creates another job, and so does a different recipe', async () => {
  const { put, settle, jobs } = setUpIntake();
  put('a.mp4', 'first');
  await settle();
  put('a.mp4', 'second');
  await settle();
  put('a.mp4.recipe.yaml', 'scale: 4\ndevice: cpu');
  await settle();
  expect(jobs().map(({ recipe }) => recipe)).toMatchObject([{ scale: 2 }, { scale: 2 }, { scale: 4 }]);
  expect(new Set(jobs().map((job) => job.fingerprint)).size).toBe(2);
});

test('the folder of a file selects its recipe, even without configuration, and the output keeps the path', async () => {
  const { put, settle, jobs, root } = setUpIntake();
  put('upscale-4x/deep/a.mp4', 'a');
  put('lanczos-2x/b.mp4', 'b');
  put('mine/c.mp4', 'c');
  put('dual-face/d.mp4', 'd');
  await settle();
  expect(jobs().map(({ recipe }) => describeRecipe(recipe))).toEqual(
    expect.arrayContaining([
      'realesr-general-x4v3, scale 4',
      'lanczos, scale 2',
      'realesr-general-x4v3, scale 3.5',
      'dual-face with blazeface-full-range, side-by-side at 1920x1080',
    ]),
  );
  expect(jobs().map((job) => job.outputPath)).toContain(join(root, 'output/upscale-4x/deep/a.mp4'));
});

test('a rejected file is reported once, with its name and every reason, and checked again when it changes', async () => {
  const { put, settle, jobs, said, intake, clock } = setUpIntake();
  put('bad.mp4', 'x');
  put('a.mp4', 'a');
  put('a.mp4.recipe.yaml', 'scale: 9\nmodle: lanczos');
  put('dual-face/b.mp4', 'b');
  put('dual-face/b.mp4.recipe.yaml', 'scale: 2');
  await settle();
  expect(intake.rejectedCount).toBe(2);
  clock.ms += 55_000;
  await intake.scan();
  await settle();
  expect(jobs()).toEqual([]);
  expect(intake.rejectedCount).toBe(3);
  const rejected = said.filter((line) => line.includes(' rejected ('));
  expect(rejected).toHaveLength(3);
  expect(rejected.join('\n')).toMatch(
    /BAD_RECIPE.*a\.mp4\.recipe\.yaml.*scale.*unknown key modle \(did you mean model\?\)/,
  );
  expect(rejected.join('\n')).toContain('the dual-face pipeline has no key scale');
  put('a.mp4.recipe.yaml', 'scale: 3');
  await settle();
  expect(jobs()).toMatchObject([{ recipe: { scale: 3 } }]);
});

test('only regular files with the names of videos are queued', async () => {
  const { put, settle, jobs, inputDir, root } = setUpIntake();
  const outside = join(root, 'outside.mp4');
  writeFileSync(outside, 'outside');
  symlinkSync(outside, join(inputDir, 'link.mp4'));
  symlinkSync(root, join(inputDir, 'loop'));
  execFileSync('mkfifo', [join(inputDir, 'pipe.mp4')]);
  for (const name of ['.hidden.mp4', 'a.mp4.part', 'b.crdownload', 'c.txt', '.rsync.mp4.x7Gh'])
    put(name, name);
  const taken = [
    '-x.mp4',
    '%d.MKV',
    'concat:a.mp4',
    'new\nline.mov',
    `q'".webm`,
    'ünï 影片.mp4',
    `${'x'.repeat(251)}.mp4`,
  ];
  for (const name of taken) put(name, name);
  await settle();
  expect(
    jobs()
      .map((job) => job.sourcePath.slice(inputDir.length + 1))
      .sort(),
  ).toEqual(taken.sort());
});

test('a deleted file is forgotten, and a deleted input folder is created again', async () => {
  const { put, settle, jobs, queue, inputDir, intake, said } = setUpIntake();
  put('a.mp4', 'a');
  await intake.scan();
  rmSync(inputDir, { recursive: true });
  await intake.scan();
  expect(queue.seenFiles.list()).toEqual([]);
  expect(said.join()).toMatch(/was missing; created it again/);
  put('b.mp4', 'b');
  await settle();
  expect(jobs()).toHaveLength(1);
});

test('a watch event triggers a scan: a new file is found long before the next rescan', async () => {
  const { put, queue, intake } = setUpIntake();
  await intake.start();
  const path = put('a.mp4', 'a');
  await expect
    .poll(() => queue.seenFiles.list(), { timeout: 10_000 })
    .toMatchObject([{ path, state: 'settling' }]);
});

test(
  'ten thousand files at once become ten thousand jobs, and the event loop is never blocked for long',
  { tags: ['slow'] },
  async () => {
    const { put, intake, clock, jobs } = setUpIntake();
    for (let i = 0; i < 10_000; i++) put(`${i % 100}/${i}.mp4`, `content ${i}`);
    let longestMs = 0;
    let lastMs = performance.now();
    const pulse = setInterval(() => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }, 10);
    await intake.scan();
    clock.ms += 5000;
    await intake.scan();
    clearInterval(pulse);
    expect(new Set(jobs().map((job) => job.sourcePath)).size).toBe(10_000);
    expect(jobs()).toHaveLength(10_000);
    expect(longestMs).toBeLessThan(3_000);
  },
);

test('an unexpected error in the probe rejects that file only; the files after it are queued', async () => {
  const { put, settle, jobs, said, intake } = setUpIntake(undefined, (path) => {
    if (path.endsWith('a.mp4')) throw new SyntaxError('Unexpected token in JSON');
  });
  put('a.mp4', 'a');
  const good = put('b.mp4', 'b');
  await settle();
  await settle();
  expect(jobs()).toMatchObject([{ sourcePath: good }]);
  expect(intake.rejectedCount).toBe(1);
  expect(said.filter((line) => line.includes('a.mp4 cannot be queued'))).toHaveLength(1);
});

test('without ffmpeg no file is rejected; the scan counts as failed and is retried', async () => {
  let ffmpegThere = false;
  const { put, intake, clock, jobs, said } = setUpIntake(undefined, () => {
    if (!ffmpegThere) throw new TransientError('FFMPEG_MISSING', 'ffprobe is not installed.');
  });
  put('a.mp4', 'a');
  await intake.start();
  clock.ms += 5000;
  await intake.start();
  expect(said.join()).toMatch(/ffprobe is not installed/);
  expect(intake).toMatchObject({ rejectedCount: 0, isIncomplete: true });
  ffmpegThere = true;
  await intake.scan();
  await intake.rescan();
  expect(jobs()).toHaveLength(1);
  expect(intake).toMatchObject({ rejectedCount: 0, isIncomplete: false });
});

test('an unreadable folder in input/ is reported once and does not hide other files', async () => {
  const { put, settle, jobs, said, intake, inputDir } = setUpIntake();
  // Deeper than a path may be: unreadable for root, too.
  const dig = `for (let i = 0; i < 18; i++) { fs.mkdirSync('d'.repeat(250)); process.chdir('d'.repeat(250)); }`;
  execFileSync(process.execPath, ['-e', dig], { cwd: inputDir });
  onTestFinished(() => void execFileSync('rm', ['-rf', inputDir]));
  put('z.mp4', 'z');
  await settle();
  await settle();
  expect(jobs()).toHaveLength(1);
  expect(intake).toMatchObject({ rejectedCount: 0, isIncomplete: true });
  expect(said.filter((line) => line.includes('cannot be read (ENAMETOOLONG)'))).toHaveLength(1);
});

test('a sidecar that is a pipe, a folder or a symbolic link is not read, and the log says so', async () => {
  const { put, settle, jobs, inputDir, root, said } = setUpIntake();
  put('c.mp4', 'c');
  mkdirSync(join(inputDir, 'c.mp4.recipe.yaml'));
  put('a.mp4', 'a');
  execFileSync('mkfifo', [join(inputDir, 'a.mp4.recipe.yaml')]);
  put('b.mp4', 'b');
  writeFileSync(join(root, 'elsewhere.yaml'), 'scale: 4');
  symlinkSync(join(root, 'elsewhere.yaml'), join(inputDir, 'b.mp4.recipe.yaml'));
  await settle();
  expect(jobs().map(({ recipe }) => recipe)).toMatchObject([{ scale: 2 }, { scale: 2 }, { scale: 2 }]);
  expect(said.filter((line) => line.includes('is not a regular file and is ignored'))).toHaveLength(3);
});

test('a file that changes while it is hashed must settle again', async () => {
  const { put, settle, clock, intake, jobs } = setUpIntake(undefined, (path) => {
    if (!changed) appendFileSync(path, 'more');
    changed = true;
  });
  let changed = false;
  put('a.mp4', 'a');
  await settle();
  expect(jobs()).toEqual([]);
  expect(intake.settlingCount).toBe(1);
  await intake.scan();
  clock.ms += 5000;
  await intake.scan();
  expect(jobs()).toHaveLength(1);
});
