import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../helpers/clips.ts';
import { makeHome, readLog, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Puts a systemd-inhibit on the PATH that writes down when it holds the lock and when it lets go. */
function fakeInhibitor(folder: string): { path: string; events: () => string } {
  const bin = join(folder, 'bin');
  const events = join(folder, 'events');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'systemd-inhibit'),
    `#!/bin/sh\necho "lock $*" >> ${events}\nwhile [ "$1" != cat ]; do shift; done\n"$@"\necho unlock >> ${events}\n`,
  );
  chmodSync(join(bin, 'systemd-inhibit'), 0o755);
  return {
    path: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
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

  writeFileSync(join(home, 'framekiln.yaml'), `${quick}manners: { quietHours: ['00:00-24:00'] }\n`);
  await expect
    .poll(() => readLog(home), patience)
    .toMatch(/quiet hours \(00:00-24:00\): nothing is worked on/);
  await expect
    .poll(() => readLog(home), patience)
    .toMatch(/stopped; it goes on after its last committed batch/);
  await expect.poll(() => inhibitor.events(), patience).toMatch(/unlock/);
  expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(false);

  writeFileSync(join(home, 'framekiln.yaml'), quick);
  expect(await daemon.ended).toBe(0);
  expect(readLog(home)).toMatch(/the quiet hours are over/);
  expect(readLog(home)).toMatch(/resumed after \d+ committed batches/);
  expect(existsSync(join(home, 'output/lanczos-2x/clip.mp4'))).toBe(true);
  await expect.poll(() => inhibitor.events().match(/unlock/g)?.length, patience).toBe(2);
});
