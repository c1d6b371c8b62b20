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

/** A daemon that goes on living when its worker has died at this place. */
function livingDaemon(point: FailPoint) {
  const home = makeHome(temporaryFolder(), SETTINGS);
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 20 });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  points.arm(`${point} 1 kill`);
  const daemon = start(['start', '--home', home], points.environment);
  const says = (what: RegExp) => expect.poll(() => readLog(home), { timeout: 60_000 }).toMatch(what);
  return { home, daemon, says };
}

function halfOutputs(folder: string): string[] {
  return filesBelow(folder).filter((path) => path.includes('.framekiln-'));
}

test('a worker that dies on the last try of its job leaves no memory taken while its daemon lives', async () => {
  const { home, daemon, says } = livingDaemon('transformed-frame.before-write');
  await says(/removed what dead processes left: 1 RAM disk/);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(home);
  for (const kind of ['ram', 'frames'].map((name) => join(home, '.framekiln', name)))
    if (existsSync(kind)) expect(readdirSync(kind)).toEqual([]);
  expect(daemon.child.exitCode).toBeNull();
});

test('a worker that dies while it checks the finished file leaves no half output while its daemon lives', async () => {
  const { home, daemon, says } = livingDaemon('output.verified');
  await says(/removed what dead processes left: .*1 half-written output/);
  await says(/done in/);
  expect(filesBelow(join(home, 'output'))).toEqual(['lanczos-2x/clip.mp4']);
  expect(daemon.child.exitCode).toBeNull();
});

test('a `run` into another folder that is killed leaves a half output that the next one, or a daemon, removes', async () => {
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
  expect(halfOutputs(elsewhere)).toHaveLength(1);
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  expect(halfOutputs(elsewhere)).toEqual([]);
});
