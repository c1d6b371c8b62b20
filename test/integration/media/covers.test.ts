import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { faultyFfmpeg } from '../../helpers/faulty-ffmpeg.ts';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** A home with a clip whose cover image has this content. */
function homeWithCover(image: (jpeg: Buffer) => Buffer): { home: string; folder: string } {
  const folder = temporaryFolder();
  const home = makeHome(join(folder, 'home'));
  const clip = makeClip(join(folder, 'clip.mp4'), { frames: 5, audio: false });
  const cover = join(folder, 'cover.jpg');
  ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=40x40', '-frames:v', '1', cover);
  writeFileSync(cover, image(readFileSync(cover)));
  const label = ['-metadata:s:t', 'mimetype=image/jpeg', '-metadata:s:t', 'filename=cover.jpg'];
  ffmpeg('-i', clip, '-c', 'copy', '-attach', cover, ...label, join(home, 'input/lanczos-2x/clip.mkv'));
  return { home, folder };
}

/** Remarks of the report on the only job, which must be done. */
function remarksAfter(home: string, environment: Record<string, string> = {}): string[] {
  expect(run(['start', '--once', '--home', home], environment).status, readLog(home)).toBe(0);
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { report: { remarks: string[] } }[];
  };
  return jobs[0]?.report.remarks ?? [];
}

test('a damaged cover image is left out, and the report and the log say so', () => {
  const { home } = homeWithCover((jpeg) => Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(500, 'noise')]));
  const remark = 'cover image 1 dropped: damaged';
  expect(remarksAfter(home)).toContain(remark);
  expect(readLog(home)).toContain(remark);
});

test('a cover image that cannot be extracted does not fail the job', () => {
  const { home, folder } = homeWithCover((jpeg) => jpeg);
  const always = `rmdir ${join(folder, 'has-failed')}; echo 'Invalid data found' >&2; exit 1`;
  const remark = 'cover image 1 dropped: cannot be copied (Invalid data found)';
  expect(remarksAfter(home, { PATH: faultyFfmpeg(folder, 'image2pipe', always) })).toContain(remark);
  expect(readLog(home)).toContain('joining again without the tracks that are empty or cannot be muxed');
  expect(readLog(home)).toContain(remark);
});
