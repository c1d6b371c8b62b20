import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { ffmpeg, frameMd5 } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start, tracedFrames } from '../helpers/framekiln.ts';
import { sharedMedia, sharedModels, whyNoSharedMedia } from '../helpers/shared-media.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const FRAMES = 56;
/** Where the redraw is killed, each at the given hit. */
const KILLED_AT = [
  ['store-directions.before-commit', 1],
  ['store-directions.committed', 1],
  ['commit-batch.committed', 2],
] as const;

const once = (home: string): string[] => ['start', '--once', '--home', home];
const clipIn = (home: string): string => join(home, 'input/dual-face/two.mp4');

/** A home with a clip of two people, of which a split screen is made. */
function homeWithSplitScreen(): string {
  const home = makeHome(temporaryFolder());
  mkdirSync(join(home, 'input/dual-face'));
  const source = sharedMedia('faces/head-pose-face-detection-female-and-male.gif');
  const encoding = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast'];
  ffmpeg('-i', source, '-vf', 'fps=12,setsar=1', '-frames:v', String(FRAMES), ...encoding, clipIn(home));
  correct(home, '');
  expect(run(once(home)).status).toBe(0);
  return home;
}

/** Writes the sidecar file of the clip. */
function correct(home: string, corrections: string): void {
  const model = sharedModels('yunet_n_640_640.onnx');
  writeFileSync(
    `${clipIn(home)}.recipe.yaml`,
    `model: ${model}\nwidth: 320\nheight: 180\ndetectEvery: 2\n${corrections}`,
  );
}

const CORRECTIONS = `people: [1, 2]
spans:
  - { from: 10, to: 25, layout: stacked }
  - { from: 30, to: 45, crops: [{ x: 0, y: 0, width: 200, height: 200 }, { x: 200, y: 100, width: 100, height: 100 }] }
`;

test.skipIf(whyNoSharedMedia !== null)(
  'a corrected split screen is drawn again without another analysis, and after kills with the same frames',
  { tags: ['slow'], timeout: 1_200_000 },
  async () => {
    const undisturbed = homeWithSplitScreen();
    const home = join(temporaryFolder(), 'copy');
    cpSync(undisturbed, home, { recursive: true });
    const trace = join(undisturbed, 'trace.log');
    correct(undisturbed, CORRECTIONS);
    expect(run(once(undisturbed), { FRAMEKILN_TRACE: trace }).status).toBe(0);
    expect(tracedFrames(trace)).toEqual([]);
    expect(readLog(undisturbed)).toContain('using the analysis of an earlier job');
    const wanted = frameMd5(outputOf(undisturbed, 2));
    expect(wanted).toHaveLength(FRAMES);
    const before = frameMd5(outputOf(undisturbed, 1));
    for (const frame of [0, 12, 29, 40, 55]) expect(wanted[frame], String(frame)).not.toBe(before[frame]);
    expect(panesOf(undisturbed, 1)).toEqual([[2, 1]]);
    expect(panesOf(undisturbed, 2)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [null, null],
      [1, 2],
    ]);

    for (const job of [1, 2]) {
      expect(thumbnailsOf(undisturbed, job)).toEqual([`${job}.person-1.jpg`, `${job}.person-2.jpg`]);
      for (const name of thumbnailsOf(undisturbed, job)) {
        const { format, width } = await sharp(join(undisturbed, '.framekiln/reports', name)).metadata();
        expect({ format, width }).toMatchObject({ format: 'jpeg' });
        expect(width).toBeGreaterThan(40);
      }
    }

    correct(home, CORRECTIONS);
    const points = failPointFolder(join(home, 'points'));
    for (const [name, hit] of KILLED_AT) {
      points.arm(`${name} ${hit} kill-group`);
      await start(once(home), { ...points.environment, FRAMEKILN_TRACE: trace }).ended;
      expect(points.hasFired(name), name).toBe(true);
    }
    expect(run(once(home), { FRAMEKILN_TRACE: trace }).status).toBe(0);
    expect(frameMd5(outputOf(home, 2))).toEqual(wanted);
    expect(tracedFrames(trace)).toEqual([]);

    // The job fails with the reason; with the number corrected, the next one needs no analysis either.
    correct(home, 'people: [1, 9]\n');
    run(once(home));
    expect(readLog(home)).toMatch(/rejected \(BAD_RECIPE\): .*there is no person 9, as 2 people were found/);
    correct(home, 'people: [1]\n');
    expect(run(once(home), { FRAMEKILN_TRACE: trace }).status).toBe(0);
    expect(tracedFrames(trace)).toEqual([]);
    expect(existsSync(outputOf(home, 4))).toBe(true);
  },
);

function outputOf(home: string, job: number): string {
  return (
    JSON.parse(readFileSync(join(home, `.framekiln/reports/${job}.json`), 'utf8')) as { output: string }
  ).output;
}

function thumbnailsOf(home: string, job: number): string[] {
  const text = readFileSync(join(home, `.framekiln/reports/${job}.split-screen.json`), 'utf8');
  return (JSON.parse(text) as { people: { thumbnail: string }[] }).people.map(({ thumbnail }) => thumbnail);
}

/** Who is in the panes, by stretch. */
function panesOf(home: string, job: number): (number | null)[][] {
  const text = readFileSync(join(home, `.framekiln/reports/${job}.split-screen.json`), 'utf8');
  const { shots } = JSON.parse(text) as {
    shots: { stretches: { panes: { person: number | null }[] }[] }[];
  };
  return shots.flatMap(({ stretches }) => stretches.map(({ panes }) => panes.map(({ person }) => person)));
}
