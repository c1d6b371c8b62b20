import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

interface Told {
  readonly state: string;
  readonly error: { readonly code: string } | null;
  readonly attempts: number;
}

/** Two clips, and a network that hangs once, in the middle of a first batch. */
function afterAHang(settings: string) {
  const home = makeHome(
    temporaryFolder(),
    `intake: { settleSeconds: 0.2 }\nbatch: { firstFrames: 10, frames: 20 }\nworkspace: { memoryFraction: 0.05 }\nengine: { stallSeconds: 2 }\n${settings}`,
  );
  for (const [i, name] of ['a', 'b'].entries())
    makeClip(join(home, `input/lanczos-2x/${name}.mp4`), { frames: 40, filter: `hue=h=${90 * i}` });
  const points = failPointFolder(join(temporaryFolder(), 'points'));
  points.arm('transformed-frame.before-write 5 hang');
  const { status } = run(['start', '--once', '--home', home], points.environment);
  expect(points.hasFired('transformed-frame.before-write')).toBe(true);
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as { jobs: Told[] };
  return { home, status, jobs, log: readLog(home) };
}

test('a hang on the last try sets that job aside, and the worker ends in order: nothing is left, the next job is done', () => {
  const { home, jobs, log } = afterAHang('tries: 1\nstreams: { max: 1 }\n');
  expect(jobs).toMatchObject([{ state: 'failed', error: { code: 'ENGINE_STALLED' } }, { state: 'done' }]);
  expect(log).not.toMatch(/the worker died|UnhandledPromiseRejection|node:internal/);
  expect(frameMd5(join(home, 'output/lanczos-2x/b.mp4'))).toHaveLength(40);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(home);
});

test('a hang with two jobs in work charges neither: each goes on alone, and is done with its only try', () => {
  const { status, jobs, log } = afterAHang('tries: 1\nstreams: { max: 2 }\n');
  expect(log).toMatch(/worker: The network moved nothing for 2 s and used no processor/);
  expect(log).toMatch(/the worker died/);
  expect(log).not.toMatch(/this try failed|set aside/);
  expect(jobs).toMatchObject([{ state: 'done' }, { state: 'done' }]);
  expect(status).toBe(0);
});
