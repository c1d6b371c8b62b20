import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { MAIN, makeHome, readLog } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const MB = 1e6;

/** Makes a control group of either version with this limit; null where that is not permitted. */
function memoryGroup(limitBytes: number): { path: string; kills: () => number } | null {
  for (const [mount, limit, events] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.oom_control'],
    ['/sys/fs/cgroup', 'memory.max', 'memory.events'],
  ] as const) {
    const path = join(mount, `framekiln-test-${process.pid}`);
    try {
      mkdirSync(path);
      onTestFinished(() => rmdirSync(path));
      // Only a group with the memory controller has this file.
      if (!existsSync(join(path, limit))) continue;
      writeFileSync(join(path, limit), String(limitBytes));
    } catch {
      continue;
    }
    const kills = () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(path, events), 'utf8'))?.[1]);
    return { path, kills };
  }
  return null;
}

test(
  'frames are written to disk in a control group that other programs have nearly filled',
  { tags: ['slow'] },
  ({ skip }) => {
    const group = memoryGroup(1600 * MB);
    if (group === null) return skip('no control group can be made here');
    // The frames of a batch take 330 MB, which the limit of the group alone would allow in memory. The 700 MB that are left
    // are enough for the programs of the job, not for these frames as well.
    const settings = 'batch: { firstFrames: 50, frames: 50 }\nencoder: { preset: ultrafast }\n';
    const home = makeHome(temporaryFolder(), `${settings}workspace: { memoryFraction: 0.9 }\n`);
    const clip = makeClip(join(home, 'clip.mp4'), { width: 480, height: 270, frames: 100 });
    const filler = join('/dev/shm', `framekiln-test-${process.pid}`);
    onTestFinished(() => rmSync(filler, { force: true }));
    const run = [process.execPath, MAIN, 'run', clip, '--home', home, '--model', 'lanczos', '--scale', '4'];
    const script = `echo $$ > ${group.path}/cgroup.procs
    head -c ${900 * MB} /dev/zero > ${filler}
    exec "$@"`;
    const { status } = spawnSync('sh', ['-c', script, 'sh', ...run, '--skip-checks'], { stdio: 'ignore' });
    expect(group.kills()).toBe(0);
    expect(status).toBe(0);
    expect(readLog(home)).toContain('not enough free memory for ');
    expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(100);
  },
);
