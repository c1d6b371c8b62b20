import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, makeClip } from '../../helpers/clips.ts';
import { makeHome, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

interface Probed {
  readonly streams: readonly {
    readonly codec_type: string;
    readonly codec_tag_string: string;
    readonly width?: number;
    readonly disposition: Readonly<Record<string, number>>;
    readonly tags?: Readonly<Record<string, string>>;
  }[];
  readonly chapters: readonly { readonly tags: { readonly title: string } }[];
  readonly format: { readonly tags: Readonly<Record<string, string>> };
}

function probe(path: string): Probed {
  const args = ['-v', 'error', '-of', 'json', '-show_streams', '-show_chapters', '-show_format', path];
  return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as Probed;
}

const PHONE_TAGS = {
  'com.apple.quicktime.make': 'Apple',
  'com.apple.quicktime.model': 'iPhone 13',
  'com.apple.quicktime.creationdate': '2023-09-01T23:53:03-0700',
  'com.apple.quicktime.location.ISO6709': '+48.1371+011.5754/',
};

/** A tag as two arguments of ffmpeg. */
const tag = (name: string, value: string): string[] => ['-metadata', `${name}=${value}`];

test('what a camera stores next to its video is kept, or reported', { tags: ['slow'] }, () => {
  const home = makeHome(temporaryFolder(), 'intake: { settleSeconds: 0.2 }\n');
  const input = (name: string) => join(home, 'input/lanczos-2x', name);
  const output = (name: string) => join(home, 'output/lanczos-2x', name);
  const clip = makeClip(join(home, 'clip.mp4'));
  const phone = Object.entries(PHONE_TAGS).flatMap(([name, value]) => tag(name, value));
  const keepAll = ['-c', 'copy', '-movflags', 'use_metadata_tags'];
  ffmpeg('-i', clip, ...phone, ...tag('title', 'Harbour'), ...keepAll, input('phone.mov'));
  ffmpeg('-i', clip, ...phone, ...keepAll, ...['-metadata:s:a:0', 'language=deu'], input('phone.mp4'));

  const chapters = join(home, 'chapters.txt');
  const chapter = (start: number, title: string) =>
    `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${start + 1000}\ntitle=${title}\n`;
  writeFileSync(chapters, `;FFMETADATA1\n${chapter(0, 'One')}${chapter(1000, 'Two')}`);
  const edited = (name: string) =>
    ffmpeg(
      ...['-i', clip, '-i', chapters, '-map', '0', '-map_chapters', '1', '-c', 'copy'],
      ...['-timecode', '01:02:03:04', input(name)],
    );
  edited('edited.mov');
  edited('edited.mp4');

  // The chapter track is the data track that ffmpeg can write under another name.
  const asData = ['-c', 'copy', '-map_chapters', '-1', '-write_tmcd', '0', '-tag:d:0', 'gpmd'];
  const tracks = ['0:v', '0:a', '0:d:0'].flatMap((track) => ['-map', track]);
  ffmpeg('-i', input('edited.mp4'), ...tracks, ...asData, input('gopro.mp4'));
  const drone = readFileSync(input('gopro.mp4'), 'latin1').replaceAll('gpmd', 'djmd');
  writeFileSync(input('drone.mp4'), drone, 'latin1');

  const large = makeClip(join(home, 'large.mp4'), { width: 128, height: 96, audio: false });
  ffmpeg(
    ...['-i', large, '-i', clip, '-map', '0:v', '-map', '1:v', '-map', '1:a', '-map', '1:a', '-c', 'copy'],
    ...['-disposition:v:0', '0', '-disposition:v:1', 'default', '-disposition:a:0', '0'],
    ...['-disposition:a:1', 'default+forced', input('two.mkv')],
  );
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
    jobs: { file: string; report: { remarks: string[] } }[];
  };
  const remarks = (name: string) =>
    jobs.find(({ file }) => file.endsWith(name))?.report.remarks.join('; ') ?? 'no job';

  for (const name of ['phone.mov', 'phone.mp4']) {
    const { tags } = probe(output(name)).format;
    expect(tags).toMatchObject(PHONE_TAGS);
    if (name.endsWith('mov')) expect(tags['title']).toBe('Harbour');
  }

  for (const name of ['edited.mov', 'edited.mp4']) {
    const { streams, chapters } = probe(output(name));
    expect(streams.find((stream) => stream.codec_tag_string === 'tmcd')?.tags?.['timecode']).toBe(
      '01:02:03:04',
    );
    expect(chapters.map(({ tags }) => tags.title)).toEqual(['One', 'Two']);
    expect(remarks(name)).not.toMatch(/dropped/);
  }

  expect(probe(output('gopro.mp4')).streams.map((stream) => stream.codec_tag_string)).toContain('gpmd');
  expect(remarks('gopro.mp4')).not.toMatch(/dropped/);

  expect(remarks('drone.mp4')).toMatch(
    /data track \d \(unknown\) dropped: ffmpeg cannot write data tracks of the format djmd/,
  );

  const { streams } = probe(output('two.mkv'));
  const flags = streams.map(({ codec_type, width = 0, disposition }) => [
    codec_type,
    width,
    disposition['default'],
    disposition['forced'],
  ]);
  expect(flags).toEqual([
    ['video', 128, 1, 0],
    ['video', 128, 0, 0],
    ['audio', 0, 0, 0],
    ['audio', 0, 1, 1],
  ]);
});
