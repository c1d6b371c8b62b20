import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { passThrough } from '../../helpers/media-steps.ts';
import { audioCodecs, hear, makeFlashAndClick, withEdits, type Edit } from '../../helpers/sync.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Largest accepted change in milliseconds: Matroska rounds both the frame and the audio to a millisecond. */
const ACCEPTED = 1.1;

/** Audio encoders by the name of a clip. */
const CODECS: Readonly<Record<string, readonly string[]>> = {
  'opus.mkv': ['-c:a', 'libopus'],
  'opus.mp4': ['-c:a', 'libopus'],
  'aac.mp4': ['-c:a', 'aac'],
  'mp3.mp4': ['-c:a', 'libmp3lame'],
  'flac.mp4': ['-c:a', 'flac', '-strict', 'experimental'],
  'pcm.mov': ['-c:a', 'pcm_s16le'],
  'ac3.ts': ['-c:a', 'ac3'],
};

test.each(['opus.mkv', 'flac.mp4'])('a click stays beside its flash: %s', async (name) => {
  const folder = temporaryFolder();
  const path = makeFlashAndClick(join(folder, name), CODECS[name] ?? []);
  const { outputPath } = await passThrough(path, folder);
  expect(audioCodecs(outputPath)).toEqual(audioCodecs(path));
  expect(Math.abs(hear(outputPath).click - hear(path).click)).toBeLessThan(ACCEPTED);
});

/** Edit lists of `aac.mp4` by the name of a clip. Its audio (track 1) begins at 21 ms, and its video at 80 ms. */
const EDITS: Readonly<Record<string, readonly [track: 0 | 1, edits: readonly Edit[]]>> = {
  'audio-trimmed.mp4': [1, [[2500, 521]]],
  'audio-without-middle.mp4': [1, [[500, 21], [1000, 821]]], // prettier-ignore
  'video-late.mp4': [0, [[240, null], [3000, 80]]], // prettier-ignore
};

test.each(['source', 'mkv'])(
  'no container, codec or edit list moves, cuts or lengthens audio: to %s',
  { tags: ['slow'], timeout: 600_000 },
  (container) => {
    const settings = `output: { container: ${container} }\nintake: { settleSeconds: 0.2 }\n`;
    const home = makeHome(temporaryFolder(), settings);
    const input = join(home, 'input/lanczos-2x');
    for (const [name, audio] of Object.entries(CODECS)) makeFlashAndClick(join(input, name), audio);
    for (const [name, [track, edits]] of Object.entries(EDITS)) {
      const file = readFileSync(join(input, 'aac.mp4'));
      writeFileSync(join(input, name), withEdits(file, track, track === 0 ? 12_800 : 48_000, edits));
    }
    const names = readdirSync(input);
    expect(run(['start', '--once', '--home', home], {}, 580_000).status, readLog(home)).toBe(0);
    const { jobs } = JSON.parse(run(['status', '--json', '--home', home]).stdout) as {
      jobs: { file: string; output: string }[];
    };
    expect(jobs).toHaveLength(names.length);
    for (const { file, output } of jobs) {
      const [was, is] = [hear(join(home, 'input', file)), hear(output)];
      const [click, start, end] = [is.click - was.click, is.start - was.start, is.end - was.end];
      console.log(`${file}: click ${click.toFixed(2)}, start ${start.toFixed(2)}, end ${end.toFixed(2)} ms`);
      expect(Math.abs(click), file).toBeLessThan(ACCEPTED);
      // Matroska plays up to one packet before the first sample, and encoders pad the last one.
      expect(start, file).toBeGreaterThan(-45);
      expect(start, file).toBeLessThan(ACCEPTED);
      expect(Math.abs(end), file).toBeLessThan(45);
      // What an edit list cuts out is not heard again.
      expect(is.length - was.length, file).toBeLessThan(60);
    }
  },
);
