import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { makeClip } from '../helpers/clips.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A PATH on which this shell script is a program. */
function programOnPath(name: string, script: string): string {
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}`);
  chmodSync(join(bin, name), 0o755);
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

/** A PATH with a systemd-inhibit that logs when it acquires and releases the lock. */
function fakeInhibitor(folder: string): { path: string; events: () => string } {
  const events = join(folder, 'events');
  const script = `echo "lock $*" >> ${events}\nwhile [ "$1" != cat ]; do shift; done\n"$@"\necho unlock >> ${events}\n`;
  return {
    path: programOnPath('systemd-inhibit', script),
    events: () => (existsSync(events) ? readFileSync(events, 'utf8') : ''),
  };
}

/** Number of committed batches of job 1. */
function batchCount(home: string): number {
  const path = join(home, '.framekiln/framekiln.db');
  if (!existsSync(path)) return 0;
  const queue = openQueue(path);
  try {
    return queue.batches.listBatches(1).length;
  } finally {
    queue.close();
  }
}

test(
  'a job pauses for quiet hours and resumes when they are removed from the settings; sleep is inhibited meanwhile',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder());
    const settings = readFileSync(join(home, 'framekiln.yaml'), 'utf8');
    const inhibitor = fakeInhibitor(temporaryFolder());
    makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 600 });
    const daemon = start(['start', '--once', '--home', home], { PATH: inhibitor.path });
    const timeout = { timeout: 60_000 };
    await expect.poll(() => batchCount(home), timeout).toBeGreaterThan(2);
    expect(inhibitor.events()).toMatch(/^lock --what=sleep:idle .*cat\n$/);

    writeFileSync(join(home, 'framekiln.yaml'), `${settings}throttling: { quietHours: ['00:00-24:00'] }\n`);
    await expect.poll(() => readLog(home), timeout).toMatch(/paused for quiet hours until 24:00/);
    await expect
      .poll(() => readLog(home), timeout)
      .toMatch(/stopped; back in the queue with its checkpoints/);
    await expect.poll(() => inhibitor.events(), timeout).toMatch(/unlock/);
    expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(false);

    writeFileSync(join(home, 'framekiln.yaml'), settings);
    expect(await daemon.ended).toBe(0);
    expect(readLog(home)).toMatch(/resuming; was paused for quiet hours until 24:00/);
    expect(readLog(home)).toMatch(/resuming from checkpoint: \d+ of/);
    expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(true);
    await expect.poll(() => inhibitor.events().match(/unlock/g)?.length, timeout).toBe(2);
  },
);

test(
  'a job pauses while the GPU is too hot, `status` says so, and it resumes when the GPU has cooled down',
  { tags: ['slow'] },
  async () => {
    const home = makeHome(temporaryFolder());
    const celsius = join(temporaryFolder(), 'celsius');
    writeFileSync(celsius, '95\n');
    const path = programOnPath(
      'nvidia-smi',
      `case "$1" in *temperature*) cat ${celsius};; *) exit 9;; esac\n`,
    );
    makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 600 });
    const daemon = start(['start', '--once', '--home', home], { PATH: path });
    const timeout = { timeout: 60_000 };
    await expect.poll(() => readLog(home), timeout).toMatch(/paused: GPU temperature reached 95 °C/);
    expect(run(['status', '--home', home]).stdout).toMatch(
      /is running \(paused: GPU temperature reached 95 °C/,
    );

    writeFileSync(celsius, '60\n');
    expect(await daemon.ended).toBe(0);
    expect(readLog(home)).toMatch(/resuming; was paused: GPU temperature reached 95 °C/);
    expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(true);
    expect(run(['status', '--json', '--home', home]).stdout).toMatch(/"throttled": null/);
  },
);
