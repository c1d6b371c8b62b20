import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../helpers/clips.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A folder for the PATH's beginning with this shell script as a program in it. */
function programOnPath(name: string, script: string): string {
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}`);
  chmodSync(join(bin, name), 0o755);
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

/** Puts a systemd-inhibit on the PATH that writes down when it holds the lock and when it lets go. */
function fakeInhibitor(folder: string): { path: string; events: () => string } {
  const events = join(folder, 'events');
  const script = `echo "lock $*" >> ${events}\nwhile [ "$1" != cat ]; do shift; done\n"$@"\necho unlock >> ${events}\n`;
  return {
    path: programOnPath('systemd-inhibit', script),
    events: () => (existsSync(events) ? readFileSync(events, 'utf8') : ''),
  };
}

test('in quiet hours nothing is worked on; when they are taken out of the file the job in work goes on, and no sleep disturbs it', async () => {
  const home = makeHome(temporaryFolder());
  const quick = readFileSync(join(home, 'framekiln.yaml'), 'utf8');
  const inhibitor = fakeInhibitor(temporaryFolder());
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 600 });
  const daemon = start(['start', '--once', '--home', home], { PATH: inhibitor.path });
  const patience = { timeout: 60_000 };
  await expect.poll(() => readLog(home), patience).toMatch(/ 40 % /);
  expect(inhibitor.events()).toMatch(/^lock --what=sleep:idle .*cat\n$/);

  writeFileSync(join(home, 'framekiln.yaml'), `${quick}throttling: { quietHours: ['00:00-24:00'] }\n`);
  await expect
    .poll(() => readLog(home), patience)
    .toMatch(/quiet hours \(00:00-24:00\): nothing is worked on/);
  await expect.poll(() => readLog(home), patience).toMatch(/stopped; will resume from the last checkpoint/);
  await expect.poll(() => inhibitor.events(), patience).toMatch(/unlock/);
  expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(false);

  writeFileSync(join(home, 'framekiln.yaml'), quick);
  expect(await daemon.ended).toBe(0);
  expect(readLog(home)).toMatch(/over: quiet hours \(00:00-24:00\); work goes on/);
  expect(readLog(home)).toMatch(/resuming from checkpoint: \d+ of/);
  expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(true);
  await expect.poll(() => inhibitor.events().match(/unlock/g)?.length, patience).toBe(2);
});

test('while the GPU is too hot nothing is worked on, `status` says so, and the job goes on when it has cooled down', async () => {
  const home = makeHome(temporaryFolder());
  const celsius = join(temporaryFolder(), 'celsius');
  writeFileSync(celsius, '95\n');
  const path = programOnPath('nvidia-smi', `case "$1" in *temperature*) cat ${celsius};; *) exit 9;; esac\n`);
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 600 });
  const daemon = start(['start', '--once', '--home', home], { PATH: path });
  const patience = { timeout: 60_000 };
  await expect.poll(() => readLog(home), patience).toMatch(/the GPU is 95 °C hot: nothing is worked on/);
  expect(run(['status', '--home', home]).stdout).toMatch(/is running and rests \(the GPU is 95 °C hot\)/);

  writeFileSync(celsius, '60\n');
  expect(await daemon.ended).toBe(0);
  expect(readLog(home)).toMatch(/over: the GPU is 95 °C hot; work goes on/);
  expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(true);
  expect(run(['status', '--json', '--home', home]).stdout).toMatch(/"rest": null/);
});
