import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { makeHome, run, start } from '../../helpers/framekiln.ts';
import { meanDifference } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const SUBTITLES = '1\n00:00:00,100 --> 00:00:01,000\nHello\n\n2\n00:00:01,200 --> 00:00:01,900\nWorld\n';
const TAGS = `;FFMETADATA1
title=The film
artist=Somebody
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1000
title=One
[CHAPTER]
TIMEBASE=1/1000
START=1000
END=2000
title=Two
`;

interface Probed {
  streams: {
    codec_type: string;
    codec_name?: string;
    width?: number;
    height?: number;
    sample_aspect_ratio?: string;
    nb_read_frames?: string;
    disposition: Record<string, number>;
    tags?: Record<string, string>;
  }[];
  chapters: { start_time: string; end_time: string; tags: { title: string } }[];
  format: { tags?: Record<string, string> };
}

function probe(path: string): Probed {
  const show = ['-show_streams', '-show_chapters', '-show_format', '-count_frames', '-print_format', 'json'];
  return JSON.parse(execFileSync('ffprobe', ['-v', 'error', ...show, path], { encoding: 'utf8' })) as Probed;
}

/** Everything except the main video: the tracks with codec, language, title, file name and flags; chapters; tags. */
function metadataOf(path: string): unknown {
  const { streams, chapters, format } = probe(path);
  const tag = (tags: Record<string, string> | undefined, name: string) =>
    tags?.[name] ?? tags?.[name.toUpperCase()];
  return {
    tracks: streams.map(({ codec_type, codec_name, disposition, tags }) => [
      codec_type,
      codec_type === 'video' && disposition['attached_pic'] !== 1 ? 'moving' : codec_name,
      ...['language', 'title', 'filename', 'mimetype'].map((name) => tag(tags, name)),
      Object.keys(disposition).filter((flag) => disposition[flag] === 1),
    ]),
    chapters: chapters.map(({ start_time, end_time, tags }) => [start_time, end_time, tags.title]),
    tags: [tag(format.tags, 'title'), tag(format.tags, 'artist')],
  };
}

/** Mirrors the video by writing -1 to the upper left of its display matrix (ISO/IEC 14496-12, 8.3.2). */
function mirror(path: string): void {
  const bytes = readFileSync(path);
  bytes.writeInt32BE(-65_536, bytes.indexOf('tkhd') + 44);
  writeFileSync(path, bytes);
}

function grey(path: string, ...filter: string[]): Buffer {
  const vf = [...filter, 'scale=64:48:flags=area', 'format=gray'].join(',');
  return execFileSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    path,
    '-frames:v',
    '1',
    '-vf',
    vf,
    '-f',
    'rawvideo',
    '-',
  ]);
}

test(
  'a job keeps tracks, flags, tags, chapters, attachments and frames of unusual sources',
  { tags: ['slow'], timeout: 180_000 },
  async () => {
    const folder = temporaryFolder();
    const home = makeHome(join(folder, 'home'));
    const input = (name: string) => join(home, 'input/lanczos-2x', name);
    const output = (name: string) => join(home, 'output/lanczos-2x', name);
    const [clip, srt, tags, cover] = ['clip.mp4', 'a.srt', 'tags.txt', 'cover.png'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    makeClip(clip);
    writeFileSync(srt, SUBTITLES);
    writeFileSync(tags, TAGS);
    ffmpeg('-f', 'lavfi', '-i', 'color=red:size=20x20', '-frames:v', '1', cover);
    ffmpeg(
      ...[
        '-i',
        clip,
        '-i',
        srt,
        '-i',
        srt,
        '-i',
        srt,
        '-i',
        tags,
        '-i',
        clip,
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
      ],
      ...['-map', '3', '-map', '5:a', '-map_metadata', '4', '-map_chapters', '4', '-c:v', 'copy'],
      ...['-c:a:0', 'copy', '-c:a:1', 'flac', '-c:s:0', 'srt', '-c:s:1', 'ass', '-c:s:2', 'webvtt'],
      ...[
        '-metadata:s:a:0',
        'language=deu',
        '-metadata:s:a:1',
        'language=fra',
        '-metadata:s:a:1',
        'title=Commentary',
      ],
      ...['-metadata:s:s:0', 'language=eng', '-disposition:a:0', '0', '-disposition:a:1', 'default'],
      ...[
        '-disposition:s:0',
        'forced',
        '-attach',
        srt,
        '-metadata:s:t:0',
        'mimetype=application/x-truetype-font',
      ],
      ...[
        '-metadata:s:t:0',
        'filename=../font.ttf',
        '-attach',
        cover,
        '-metadata:s:t:1',
        'mimetype=image/png',
      ],
      ...['-metadata:s:t:1', 'filename=cover.png', input('everything.mkv')],
    );
    ffmpeg(
      ...[
        '-i',
        clip,
        '-i',
        srt,
        '-i',
        cover,
        '-i',
        tags,
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
        '-map_metadata',
        '3',
      ],
      ...['-map_chapters', '3', '-c', 'copy', '-c:s', 'mov_text', '-metadata:s:s:0', 'language=eng'],
      ...['-metadata:s:a:0', 'language=deu', '-disposition:v:1', 'attached_pic', input('tagged.mp4')],
    );
    ffmpeg('-i', clip, '-c:v', 'copy', '-c:a', 'pcm_s16le', input('pcm.mov'));
    ffmpeg('-i', clip, '-c', 'copy', input('mirrored.mp4'));
    mirror(input('mirrored.mp4'));
    const still = 'testsrc2=size=64x48:rate=10:duration=1';
    ffmpeg('-f', 'lavfi', '-i', still, '-vf', 'setpts=N*N/10/TB', '-fps_mode', 'vfr', input('moving.gif'));
    ffmpeg('-f', 'lavfi', '-i', still, '-f', 'apng', '-plays', '0', input('moving.apng'));
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      still,
      '-vf',
      'format=argb,colorchannelmixer=aa=0.5',
      '-c:v',
      'qtrle',
      input('alpha.mov'),
    );
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      still,
      '-vf',
      'format=yuv444p,crop=63:47:0:0:exact=1,setsar=16/11',
      '-c:v',
      'ffv1',
      input('odd.mkv'),
    );
    expect(await start(['start', '--once', '--home', home]).ended).toBe(0);

    for (const name of ['everything.mkv', 'tagged.mp4', 'pcm.mov']) {
      expect([name, metadataOf(output(name))]).toEqual([name, metadataOf(input(name))]);
    }
    const [stored, shown] = [grey(clip), grey(output('mirrored.mp4'))];
    expect(meanDifference(shown, grey(clip, 'hflip'))).toBeLessThan(6);
    expect(meanDifference(shown, stored)).toBeGreaterThan(20);
    const frames = (path: string) => probe(path).streams.find(({ codec_type }) => codec_type === 'video');
    for (const [name, result] of [
      ['moving.gif', 'moving.gif.mkv'], // The name moving.mkv is taken by the next one.
      ['moving.apng', 'moving.mkv'],
      ['alpha.mov', 'alpha.mov'],
      ['odd.mkv', 'odd.mkv'],
    ] as const) {
      expect([name, frames(output(result))?.nb_read_frames]).toEqual([
        name,
        frames(input(name))?.nb_read_frames,
      ]);
    }
    // An odd size becomes even after upscaling; the pixel aspect ratio is kept.
    expect(frames(output('odd.mkv'))).toMatchObject({ width: 126, height: 94, sample_aspect_ratio: '16:11' });
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { file: string; report: { remarks: string[] } }[];
    };
    const remarks = (name: string) => jobs.find(({ file }) => file.endsWith(name))?.report.remarks.join('; ');
    expect(remarks('mirrored.mp4')).toContain('video mirrored according to its display matrix');
    expect(remarks('alpha.mov')).toContain('transparency dropped');
    expect(remarks('odd.mkv')).toContain(
      'chroma subsampled to 4:2:0 (source: yuv444p), without loss of colour detail',
    );
    expect(remarks('everything.mkv')).not.toContain('dropped');
  },
);
