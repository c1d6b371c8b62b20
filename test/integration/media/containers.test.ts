import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, frameMd5, makeClip } from '../../helpers/clips.ts';
import { makeHome, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { execFileSync } from 'node:child_process';

const FRAMES = 10;

function streamsOf(path: string): string[] {
  const text = execFileSync(
    'ffprobe',
    ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', path],
    {
      encoding: 'utf8',
    },
  );
  return text.trim().split('\n');
}

test(
  'the output has the container that was asked for, and the name of the source where it is free',
  { tags: ['slow'] },
  () => {
    const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\noutput: { container: mp4 }\n');
    const input = join(home, 'input/lanczos-2x');
    const subtitles = join(home, 'text.srt');
    writeFileSync(subtitles, '1\n00:00:00,000 --> 00:00:00,300\nHello\n');
    const clip = makeClip(join(home, 'made.mkv'), { frames: FRAMES });
    ffmpeg(
      ...[
        '-i',
        clip,
        '-i',
        subtitles,
        '-map',
        '0',
        '-map',
        '1',
        '-c:v',
        'copy',
        '-c:a',
        'libvorbis',
        '-c:s',
        'srt',
      ],
      join(input, 'film.mkv'),
    );
    // Another source already has the name that this one would get.
    makeClip(join(input, 'both.mp4'), { frames: FRAMES, audio: false, width: 80 });
    makeClip(join(input, 'both.avi'), {
      frames: FRAMES,
      audio: false,
      width: 96,
      encoder: ['-c:v', 'mjpeg'],
    });
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      `testsrc2=s=64x48:r=10`,
      '-frames:v',
      String(FRAMES),
      join(input, 'moving.gif'),
    );

    expect(run(['start', '--once', '--home', home]).status).toBe(0);
    const output = join(home, 'output/lanczos-2x');
    expect(readdirSync(output).sort()).toEqual(['both.avi.mp4', 'both.mp4', 'film.mp4', 'moving.mp4']);
    expect(streamsOf(join(output, 'film.mp4'))).toEqual(['h264', 'aac', 'mov_text']);
    for (const name of readdirSync(output)) expect(frameMd5(join(output, name)), name).toHaveLength(FRAMES);
    const status = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { file: string; report: { container: string | null } | null }[];
    };
    const film = status.jobs.find(({ file }) => file.endsWith('film.mkv'));
    expect(film?.report?.container).toBe('output.container is set to mp4');
  },
);
