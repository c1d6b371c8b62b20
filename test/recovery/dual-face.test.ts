import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { ffmpeg, frameMd5 } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start, tracedFrames } from '../helpers/framekiln.ts';
import { sharedMedia, sharedModels, whyNoSharedMedia } from '../helpers/shared-media.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

const FRAMES = 168;
const BATCH = 20;
const BATCHES_IN_FLIGHT = 3;
const KILLS = 10;
/** Where the first pass is killed, each at the given hit, before the kills at random times. */
const KILLED_AT = [
  ['commit-analysis.before-commit', 3],
  ['commit-analysis.committed', 2],
  ['store-directions.before-commit', 1],
  ['store-directions.committed', 1],
] as const;
/** For the whole video on a machine with ten times as much to do. */
const LIMIT_MS = 480_000;
/** Number of kills before the damage: early enough that the job is not done by then. */
const DAMAGE_AFTER = 2;
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);

/** A home with a clip of three shots and a tone: two people, two others side by side, and the first two again. */
function homeWithClip(): string {
  const home = makeHome(temporaryFolder());
  const clip = join(home, 'input/dual-face/two.mp4');
  mkdirSync(join(home, 'input/dual-face'));
  const names = ['head-pose-face-detection-female-and-male.gif', 'again.mkv', 'milk.mkv'];
  const sources = names.flatMap((name) => ['-i', sharedMedia(`faces/${name}`)]);
  const half =
    'fps=12,scale=240:270:force_original_aspect_ratio=increase,crop=240:270,tpad=stop=60:stop_mode=clone,trim=end_frame=56,setsar=1';
  const graph = [
    '[0]fps=12,format=yuv420p,trim=end_frame=56,setsar=1,split[first][third]',
    `[1]${half}[a];[2]${half}[b];[a][b]hstack[second]`,
    '[first][second][third]concat=n=3[v]',
  ].join(';');
  const tone = ['-f', 'lavfi', '-i', 'sine=r=48000:d=14'];
  const encoding = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];
  ffmpeg(...sources, ...tone, '-filter_complex', graph, '-map', '[v]', '-map', '3', ...encoding, clip);
  const model = sharedModels('yunet_n_640_640.onnx');
  const enhancer = join(home, 'tiny.onnx');
  writeFileSync(enhancer, tinySrvgg());
  const keys = { model, width: 640, height: 360, detectEvery: 2, enhance: enhancer };
  writeFileSync(`${clip}.recipe.yaml`, JSON.stringify(keys));
  return home;
}

test.skipIf(whyNoSharedMedia !== null)(
  'after kills in both passes and a damaged segment a split screen equals that of an undisturbed run',
  { tags: ['slow'], timeout: 900_000 },
  async () => {
    const undisturbed = homeWithClip();
    const once = (home: string): string[] => ['start', '--once', '--home', home];
    expect(run(once(undisturbed), {}, LIMIT_MS).status).toBe(0);
    const wanted = frameMd5(join(undisturbed, 'output/dual-face/two.mp4'));
    expect(wanted).toHaveLength(FRAMES);
    expect(streamsOf(join(undisturbed, 'output/dual-face/two.mp4'))).toEqual([
      'h264,video,640,360',
      'aac,audio',
    ]);
    expect(readLog(undisturbed)).toMatch(/pane frames: shown \d+.*; cuts: 2;/);
    expect(readLog(undisturbed)).toMatch(/analysing · \d+ % · \d+ of 168 frames/);
    expect(readLog(undisturbed)).toMatch(/; close-ups enhanced in \d{2,3} frames by tiny(.onnx)? with/);
    const report: unknown = JSON.parse(readFileSync(join(undisturbed, '.framekiln/reports/1.json'), 'utf8'));
    const { framesEnhanced } = decisionsIn(undisturbed) as { framesEnhanced: number };
    expect(framesEnhanced).toBeGreaterThan(20);
    expect(report).toMatchObject({ framesEnhanced });

    const home = homeWithClip();
    const trace = join(home, 'trace.log');
    const random = seededRandom(seed);
    console.log(`seed ${seed}`);
    const points = failPointFolder(join(home, 'points'));
    for (const [name, hit] of KILLED_AT) {
      points.arm(`${name} ${hit} kill-group`);
      await start(once(home), { ...points.environment, FRAMEKILN_TRACE: trace }).ended;
      expect(points.hasFired(name), name).toBe(true);
    }
    for (let kill = 0; kill < KILLS; kill++) {
      const running = start(once(home), { FRAMEKILN_TRACE: trace });
      if (kill === DAMAGE_AFTER) {
        await expect.poll(() => segmentsOf(home).length, { timeout: 60_000 }).toBeGreaterThan(2);
        await running.killGroup();
        // A batch in the middle is drawn again.
        truncateSync(segmentsOf(home)[1] ?? '', 1000);
        continue;
      }
      const chance = new Promise((resolve) => setTimeout(resolve, 1000 + random() * 1500));
      await Promise.race([running.ended, chance]);
      await running.killGroup();
    }
    expect(run(once(home), { FRAMEKILN_TRACE: trace }, LIMIT_MS).status).toBe(0);
    expect(frameMd5(join(home, 'output/dual-face/two.mp4'))).toEqual(wanted);
    const analysed = tracedFrames(trace).length;
    console.log(`${KILLS} kills: ${analysed} frames analysed, ${FRAMES / 2} without kills`);
    const kills = KILLS + KILLED_AT.length;
    expect(analysed).toBeLessThanOrEqual(FRAMES / 2 + 20 + (kills + 1) * BATCHES_IN_FLIGHT * BATCH);
    expect(readLog(home)).toMatch(/resuming the analysis from its checkpoint: \d+ frames already analysed/);
    // The line with the cuts may be lost: the daemon is killed together with the worker that has just said it.
    expect(decisionsIn(home)).toEqual(decisionsIn(undisturbed));
    expect(decisionsIn(home)).toMatchObject({ shots: { length: 3 } });
  },
);

function decisionsIn(home: string): unknown {
  return JSON.parse(readFileSync(join(home, '.framekiln/reports/1.split-screen.json'), 'utf8'));
}

function streamsOf(path: string): string[] {
  const entries = ['-show_entries', 'stream=codec_type,codec_name,width,height', '-of', 'csv=p=0'];
  return execFileSync('ffprobe', ['-v', 'error', ...entries, path], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

/** Paths of the committed segments, in order. */
function segmentsOf(home: string): string[] {
  const folder = join(home, '.framekiln/jobs/1/segments');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.mp4'));
  return names.sort().map((name) => join(folder, name));
}
