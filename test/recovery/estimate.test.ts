import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/control/status-report.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { makeClip } from '../helpers/clips.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** The estimate is within a factor of 2 on an idle machine; other tests may run at the same time as either job. */
const TOLERANCE_FACTOR = 4;

test(
  'a second job is estimated from the first: in the log, by `add` and by `status`',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder());
    makeClip(join(home, 'input/lanczos-2x/first.mp4'), { frames: 120 });
    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    expect(readLog(home)).toMatch(
      /lanczos-2x\/first\.mp4 queued as job 1: lanczos, scale 2 \(time left: known after the first batch; needs about .* [kM]B of disk and .* [kM]B of memory\)/,
    );

    // During quiet hours new jobs are queued and wait.
    const settings = readFileSync(join(home, 'framekiln.yaml'), 'utf8');
    writeFileSync(join(home, 'framekiln.yaml'), `${settings}throttling: { quietHours: ['00:00-24:00'] }\n`);
    makeClip(join(home, 'input/lanczos-2x/second.mp4'), { frames: 240, filter: 'hue=h=90' });
    const daemon = start(['start', '--home', home]);
    const log = (): string => readLog(home);
    const timeout = { timeout: 60_000 };
    const about = 'about .* s, based on 1 similar job; needs about .* [kM]B of disk and .* [kM]B of memory';
    await expect
      .poll(log, timeout)
      .toMatch(new RegExp(`second\\.mp4 queued as job 2: lanczos, scale 2 \\(${about}`));

    const third = makeClip(join(temporaryFolder(), 'third.mp4'), { frames: 60, filter: 'hue=h=180' });
    const added = run(['add', third, '--model', 'lanczos', '--scale', '2', '--home', home]);
    expect(added.stdout).toMatch(
      new RegExp(`third\\.mp4 queued as job 3: output/third.mp4 \\(${about}\\)\\.`),
    );

    const shown = run(['status', '--home', home]).stdout;
    expect(shown).toMatch(
      /2 +queued +lanczos-2x\/second\.mp4 +lanczos x2 +about .* s +\d+ \w+\n +→ output\/.*\n +needs about .* of disk and .* of memory/,
    );
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as StatusReport;
    const [first, second] = jobs;
    expect(first?.estimate).toBeNull();
    expect(second?.estimate).toMatchObject({ jobCount: 1 });
    const { seconds, diskBytes } = second?.estimate ?? {};
    expect(seconds).toBeGreaterThan(0);

    writeFileSync(join(home, 'framekiln.yaml'), settings);
    await expect.poll(log, { timeout: 120_000 }).toMatch(/job 3.*done in|third.*done in/);
    await daemon.killGroup();
    const queue = openQueue(join(home, '.framekiln/framekiln.db'));
    const done = queue.jobs.getJob(2);
    const segmentBytes = queue.batches.listBatches(2).reduce((sum, batch) => sum + batch.segmentBytes, 0);
    queue.close();
    const took = ((done?.finishedAtMs ?? 0) - (done?.startedAtMs ?? 0)) / 1000;
    expect(done?.state).toBe('done');
    expect(took / (seconds ?? 0)).toBeGreaterThan(1 / TOLERANCE_FACTOR);
    expect(took / (seconds ?? 0)).toBeLessThan(TOLERANCE_FACTOR);
    // Segments, a finished file of the same size, and the audio.
    expect(diskBytes).toBeGreaterThan(segmentBytes);
    expect(diskBytes).toBeLessThan(2 * TOLERANCE_FACTOR * segmentBytes + (done?.video?.bytes ?? 0));
    console.info(`estimate: ${String(seconds)} s; it took ${took} s`);
  },
);

test(
  'the first job of each recipe has an estimate, and the machine is measured once',
  { tags: ['slow'], timeout: 300_000 },
  async () => {
    const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
    const measuring = { FRAMEKILN_ESTIMATE_MEASURE: 'true' };
    const waits = { timeout: 240_000 };
    const speeds = (): string => {
      const path = join(home, '.framekiln/speeds.json');
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    };
    const daemon = start(['start', '--home', home], measuring);
    await expect.poll(speeds, waits).toContain('"engine"');
    await daemon.killGroup();
    const core = (): unknown => (JSON.parse(speeds()) as { core: unknown }).core;
    const before = core();

    // During quiet hours nothing is measured, and new jobs are queued and wait.
    const settings = readFileSync(join(home, 'framekiln.yaml'), 'utf8');
    writeFileSync(join(home, 'framekiln.yaml'), `${settings}throttling: { quietHours: ['00:00-24:00'] }\n`);
    makeClip(join(home, 'input/lanczos-2x/lanczos.mp4'), { frames: 120 });
    makeClip(join(home, 'input/model.mp4'), { frames: 120 });
    const measured = (name: string, recipe: string) =>
      new RegExp(
        `${name} queued as job \\d: ${recipe}, scale 2 \\(about .* s, as measured on this machine; needs`,
      );
    start(['start', '--home', home], measuring);
    await expect.poll(() => readLog(home), waits).toMatch(measured('lanczos-2x/lanczos.mp4', 'lanczos'));
    await expect.poll(() => readLog(home), waits).toMatch(measured('model.mp4', 'realesr-general-x4v3'));
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as StatusReport;
    expect(jobs.map(({ estimate }) => estimate?.basis)).toEqual(['measurement', 'measurement']);
    expect(core()).toEqual(before);
  },
);

test(
  'what may not be measured during quiet hours is measured after them',
  { tags: ['slow'], timeout: 300_000 },
  async () => {
    const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
    const path = join(home, 'framekiln.yaml');
    const settings = readFileSync(path, 'utf8');
    writeFileSync(path, `${settings}throttling: { quietHours: ['00:00-24:00'] }\n`);
    makeClip(join(home, 'input/lanczos-2x/lanczos.mp4'), { frames: 10 });
    const daemon = start(['start', '--home', home], { FRAMEKILN_ESTIMATE_MEASURE: 'true' });
    const log = (): string => readLog(home);
    await expect
      .poll(log, { timeout: 60_000 })
      .toMatch(/lanczos\.mp4 queued as job 1: .*known after the first batch/);
    const speedsFile = join(home, '.framekiln/speeds.json');
    expect(existsSync(speedsFile)).toBe(false);

    writeFileSync(path, settings);
    await expect.poll(log, { timeout: 200_000 }).toMatch(/lanczos\.mp4.*done in/);
    const speeds = (): string => (existsSync(speedsFile) ? readFileSync(speedsFile, 'utf8') : '');
    await expect.poll(speeds, { timeout: 60_000 }).toContain('"engine"');
    await daemon.killGroup();
  },
);
