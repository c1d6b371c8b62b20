import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { filesBelow, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const SETTINGS = `intake: { settleSeconds: 0.2 }
workspace: { memoryFraction: 0.05 }
streams: { max: 1 }
attempts: 1
`;

/** A running daemon whose worker is killed at this fail point. */
function daemonWithKilledWorker(point: FailPoint) {
  const home = makeHome(temporaryFolder(), SETTINGS);
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 20 });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  points.arm(`${point} 1 kill`);
  const daemon = start(['start', '--home', home], points.environment);
  const hasLogged = (what: RegExp) => expect.poll(() => readLog(home), { timeout: 60_000 }).toMatch(what);
  return { home, daemon, hasLogged };
}

function temporaryOutputs(folder: string): string[] {
  return filesBelow(folder).filter((path) => path.includes('.framekiln-'));
}

test('a daemon removes the RAM disk of a worker that was killed on the last attempt of its job', async () => {
  const { home, daemon, hasLogged } = daemonWithKilledWorker('transformed-frame.before-write');
  await hasLogged(/removed leftovers of dead processes: 1 RAM disk/);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(home);
  for (const kind of ['ram', 'frames'].map((name) => join(home, '.framekiln', name)))
    if (existsSync(kind)) expect(readdirSync(kind)).toEqual([]);
  expect(daemon.child.exitCode).toBeNull();
});

test(
  'a daemon removes the unfinished output of a worker that was killed while it checked the file',
  { tags: ['slow'] },
  async () => {
    const { home, daemon, hasLogged } = daemonWithKilledWorker('output.verified');
    await hasLogged(/removed leftovers of dead processes: .*1 half-written output/);
    await hasLogged(/done in/);
    expect(filesBelow(join(home, 'output'))).toEqual(['lanczos-2x/clip.mp4']);
    expect(daemon.child.exitCode).toBeNull();
  },
);

test(
  'the unfinished output of a killed `run` is removed by the next run or daemon',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder(), SETTINGS);
    const elsewhere = temporaryFolder();
    const clip = join(temporaryFolder(), 'clip.mp4');
    makeClip(clip, { frames: 20 });
    const points = failPointFolder(join(temporaryFolder(), 'points'));
    const args = ['run', clip, '--output', elsewhere, '--home', home, '--model', 'lanczos', '--scale', '2'];
    const killed = async () => {
      points.arm('output.verified 1 kill-group');
      await start(args, points.environment).ended;
      expect(points.hasFired('output.verified')).toBe(true);
    };
    await killed();
    await killed();
    expect(temporaryOutputs(elsewhere)).toHaveLength(1);
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(temporaryOutputs(elsewhere)).toEqual([]);
  },
);
