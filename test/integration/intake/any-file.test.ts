import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, frameMd5, makeClip } from '../../helpers/clips.ts';
import { filesBelow, makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const FRAMES = 3;

test(
  'videos are found by their content, and everything else is named once with the reason',
  { tags: ['slow'] },
  () => {
    const home = makeHome(
      temporaryFolder(),
      'intake: { settleSeconds: 0.2, rescanSeconds: 1, rejected: quarantine }\n',
    );
    const path = (name: string) => join(home, 'input/lanczos-2x', name);
    /** A video with a name that does not reveal its format, which is that of the extension `truth`. */
    const video = (truth: string, name: string) => {
      const made = join(temporaryFolder(), `made.${truth}`);
      // Of different sizes, as files with the same content are one job.
      makeClip(made, { frames: FRAMES, audio: false, width: 64 + 8 * name.length });
      renameSync(made, path(name));
    };
    video('mp4', 'without-extension');
    video('mkv', 'wrong.txt');
    video('mpg', 'camcorder.MOD');
    video('ts', 'camcorder.m2t');
    video('mkv', 'stereo.mk3d');
    video('mp4', 'phone.3gpp');
    video('mp4', 'web.f4v');
    const videos = filesBelow(path('')).sort();
    writeFileSync(path('notes.txt'), 'These are not the frames that you are looking for.\n'.repeat(20));
    writeFileSync(path('clip.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
    writeFileSync(path('drawing.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>\n');
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=1', path('song.m4a'));
    symlinkSync('/nowhere', path('link'));
    for (const skipped of ['.hidden', 'Thumbs.db', 'movie.mkv.part', 'wrong.txt.recipe.yaml'])
      writeFileSync(path(skipped), '{}\n');

    expect(run(['start', '--once', '--home', home]).status).toBe(1);
    const report = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { file: string; state: string; output: string }[];
      rejected: { file: string; code: string }[];
    };
    expect(report.jobs.map(({ file }) => file).sort()).toEqual(videos.map((name) => `lanczos-2x/${name}`));
    for (const { state, output, file } of report.jobs) {
      expect(state, file).toBe('done');
      expect(frameMd5(output), file).toHaveLength(FRAMES);
    }
    expect(
      Object.fromEntries(report.rejected.map(({ file, code }) => [file.slice('lanczos-2x/'.length), code])),
    ).toEqual({
      'clip.srt': 'NOT_A_VIDEO',
      'drawing.svg': 'NOT_A_VIDEO',
      'notes.txt': 'NOT_A_VIDEO',
      'song.m4a': 'NO_VIDEO_STREAM',
      link: 'SYMBOLIC_LINK',
    });
    // What is no video is not cleared away, even with quarantine.
    expect(existsSync(join(home, 'quarantine'))).toBe(false);
    expect(existsSync(path('drawing.svg'))).toBe(true);
    expect(readLog(home).match(/notes\.txt rejected/g)).toHaveLength(1);
    expect(readFileSync(path('notes.txt'), 'utf8')).toMatch(/^These/);
  },
);
