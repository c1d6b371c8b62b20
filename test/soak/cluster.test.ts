import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { startCluster, undisturbed } from '../helpers/cluster.ts';
import { filesBelow, readLog } from '../helpers/framekiln.ts';
import { whyNoPostgres } from '../helpers/postgres.ts';
import { shuffled } from '../helpers/run-kills.ts';

/**
 * Workers, the coordinator and the database of a cluster are killed at random instants, in a random order. FRAMEKILN_TEST_SEED
 * repeats a run; FRAMEKILN_SOAK_SHARE (0 to 1) is the share of the 200 kills that are carried out.
 */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);
const share = Number(process.env['FRAMEKILN_SOAK_SHARE'] ?? 1);

const VICTIMS = { worker: 100, coordinator: 60, database: 40 };
type Victim = keyof typeof VICTIMS;
/** Twelve batches of four frames. */
const FRAMES = 48;
/** Longest time between kills. */
const PAUSE_MS = 3000;

test.skipIf(whyNoPostgres() !== null)(
  'after kills of workers, coordinator and database, the frames are those of one machine',
  async () => {
    const startedAtMs = performance.now();
    const random = seededRandom(seed);
    const cluster = await startCluster();
    const { home, postgres, startWorker, loseHeartbeats } = cluster;
    const workers = ['one', 'two'].map((name) => startWorker(name));
    const clipOf = (folder: string, title: string): string => {
      const encoder = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '12', '-metadata', `title=${title}`];
      return makeClip(join(folder, `${title}.mp4`), { frames: FRAMES, encoder });
    };
    const expected = undisturbed(cluster, clipOf(home, 'clip'));
    let clips = 0;
    const next = () => {
      const clip = clipOf(home, `clip-${++clips}`);
      return { clip, running: cluster.coordinate(clip) };
    };
    const check = async ({ clip, running }: typeof current): Promise<void> => {
      expect(await running.ended, readLog(home)).toBe(0);
      expect(frameMd5(clip.replace(`${home}/`, `${home}/output/`))).toEqual(expected);
      expect(filesBelow(cluster.store)).toEqual(['cluster.json']);
    };
    const kill: Record<Victim, () => Promise<void>> = {
      worker: async () => {
        const index = Math.floor(random() * workers.length);
        await workers[index]?.killGroup();
        await loseHeartbeats();
        workers[index] = startWorker(index === 0 ? 'one' : 'two');
      },
      coordinator: async () => {
        await current.running.killGroup();
        current = { ...current, running: cluster.coordinate(current.clip) };
      },
      database: () => {
        postgres.restart();
        return Promise.resolve();
      },
    };

    let current = next();
    const kills = (Object.keys(VICTIMS) as Victim[]).flatMap((victim) =>
      Array.from({ length: Math.ceil(VICTIMS[victim] * share) }, () => victim),
    );
    for (const victim of shuffled(kills, seed)) {
      await Promise.race([current.running.ended, delay(random() * PAUSE_MS)]);
      if (current.running.child.exitCode !== null) {
        await check(current);
        current = next();
      }
      await kill[victim]();
    }
    await check(current);
    const counts = (Object.keys(VICTIMS) as Victim[]).map(
      (victim) => `| ${victim} | ${kills.filter((each) => each === victim).length} |`,
    );
    const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1);
    console.log(['| killed | times |', '| --- | --- |', ...counts].join('\n'));
    console.log(
      `${kills.length} kills in ${clips} clips of ${FRAMES} frames, ${minutes} min, seed ${seed}; all frames equal`,
    );
  },
);
