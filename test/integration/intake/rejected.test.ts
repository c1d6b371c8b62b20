import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { filesBelow, makeHome, run, start } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const SETTINGS = 'intake: { settleSeconds: 0.2, rejected: quarantine }\nlimits: { framesPerSecond: 10 }\n';

test('with intake.rejected: quarantine, files rejected by the intake or by a job are moved, each with its reason', async () => {
  const home = makeHome(temporaryFolder(), SETTINGS);
  const input = join(home, 'input/lanczos-2x');
  writeFileSync(join(input, 'letter.mp4'), 'This is not a video.');
  makeClip(join(input, 'fast.mp4'));
  makeClip(join(input, 'slow.mp4'), { frames: 3, rate: '5', audio: false });
  // The recipe is at fault, not the video.
  makeClip(join(input, 'misled.mp4'), { frames: 3, rate: '5', width: 32 });
  writeFileSync(join(input, 'misled.mp4.recipe.yaml'), 'scale: 99\n');
  expect(await start(['start', '--once', '--home', home]).ended).not.toBe(0);
  expect(filesBelow(join(home, 'input')).sort()).toEqual([
    'lanczos-2x/misled.mp4',
    'lanczos-2x/misled.mp4.recipe.yaml',
    'lanczos-2x/slow.mp4',
  ]);
  expect(filesBelow(join(home, 'quarantine')).sort()).toEqual([
    'fast.mp4',
    'fast.mp4.txt',
    'letter.mp4',
    'letter.mp4.txt',
  ]);
  const reason = (name: string) => readFileSync(join(home, 'quarantine', `${name}.txt`), 'utf8');
  expect(reason('letter.mp4')).toMatch(/^NOT_A_VIDEO: letter\.mp4 is not a video/);
  expect(reason('fast.mp4')).toMatch(
    /^LIMIT_EXCEEDED: fast\.mp4 has more than 10 frames per second \(limits\.framesPerSecond\)/,
  );
  const status = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { file: string; error: { code: string } | null }[];
    rejected: { code: string }[];
  };
  expect(status.jobs.map(({ error }) => error?.code ?? null).sort()).toEqual(['LIMIT_EXCEEDED', null]);
  expect(status.rejected.map(({ code }) => code)).toEqual(['BAD_RECIPE']);
}, 60_000);
