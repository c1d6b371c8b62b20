import SqliteDatabase from 'better-sqlite3';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { describeCpuEngine, isCpuAddonBuilt } from '../../src/inference/cpu-engine.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, processesOf, readLog, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Engines that the log names, in the order of the starts of the job. */
const enginesIn = (log: string): string[] =>
  [...log.matchAll(/realesr-general-x4v3 with (.+?)(?: \(.*?\))*, whole frames/g)].map(
    ([, name]) => name ?? '',
  );

test.for([
  { name: 'with the CPU engine', forget: false, engines: ['Framekiln CPU engine', 'Framekiln CPU engine'] },
  // As a plan of an older version, or of an installation without the addon.
  { name: 'with onnxruntime', forget: true, engines: ['Framekiln CPU engine', 'onnxruntime on the CPU'] },
])(
  'a resumed job that began $name ends with it',
  { tags: ['slow'] },
  async ({ forget, engines }, { skip }) => {
    if (!isCpuAddonBuilt()) skip('the CPU engine is not built (npm run setup needs g++)');
    const home = makeHome(temporaryFolder());
    const points = failPointFolder(join(home, 'points'));
    makeClip(join(home, 'input/clip.mp4'), { width: 32, height: 32, frames: 30 });
    points.arm('transformed-frame.written 15 stop');
    const { ended } = start(['start', '--once', '--home', home], points.environment);
    await vi.waitFor(() => expect(points.hasFired('transformed-frame.written')).toBe(true), {
      timeout: 60_000,
      interval: 50,
    });
    const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'), { timeout: 10_000 });
    const plan = db.prepare(`SELECT json_extract(plan, '$.precision') AS precision FROM jobs`).get();
    expect(plan).toEqual({ precision: 'fast' });
    if (forget) db.exec(`UPDATE jobs SET plan = json_remove(plan, '$.precision')`);
    db.close();
    for (const pid of processesOf(home)) process.kill(pid, 'SIGKILL');
    await ended;
    const again = start(['start', '--once', '--home', home]);
    expect(await again.ended, readLog(home)).toBe(0);
    expect(enginesIn(readLog(home))).toEqual(engines);
  },
);

test.for(describeCpuEngine().instructionSets.map((name) => ({ name })))(
  'a job runs on the instruction set $name',
  { tags: ['slow'] },
  async ({ name }) => {
    const home = makeHome(temporaryFolder());
    makeClip(join(home, 'input/clip.mp4'), { width: 32, height: 32, frames: 3 });
    const { ended } = start(['start', '--once', '--home', home], { FRAMEKILN_INSTRUCTION_SET: name });
    expect(await ended, readLog(home)).toBe(0);
    expect(readLog(home)).toContain(`Framekiln CPU engine (fast, ${name})`);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toHaveLength(3);
  },
);
