import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { captionData, makeCaptionedClip } from '../helpers/captions.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, processesOf, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

test(
  'a job that is killed while it works and while it joins has all captions of its source',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder());
    const points = failPointFolder(join(home, 'points'));
    const name = 'lanczos-2x/clip.mp4';
    const source = makeCaptionedClip(join(home, 'clip.mp4'), { codec: 'h264', texts: ['HELLO '] });
    const wanted = captionData(source);
    expect(wanted.length).toBeGreaterThan(0);
    mkdirSync(join(home, 'input/lanczos-2x'), { recursive: true });
    copyFileSync(source, join(home, 'input', name));
    for (const [point, nth] of [
      ['transformed-frame.written', 40],
      ['output.joined', 1],
    ] as const) {
      points.arm(`${point} ${nth} stop`);
      const { ended } = start(['start', '--once', '--home', home], points.environment);
      await vi.waitFor(() => expect(points.hasFired(point)).toBe(true), { timeout: 60_000, interval: 50 });
      for (const pid of processesOf(home)) process.kill(pid, 'SIGKILL');
      await ended;
    }
    const again = start(['start', '--once', '--home', home]);
    expect(await again.ended, readLog(home)).toBe(0);
    expect(captionData(join(home, 'output', name))).toEqual(wanted);
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { report: { remarks: string[] } }[];
    };
    expect(jobs[0]?.report.remarks).toContain(
      'closed captions kept: CEA-608 in 11 frames, CEA-708 in 90 frames',
    );
  },
);
