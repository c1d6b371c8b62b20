import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeBroadcast } from '../../helpers/broadcast.ts';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { passThrough } from '../../helpers/media-steps.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** The packets of a stream: milliseconds since the first frame, and a hash of the contents. */
function packets(path: string, stream: string, firstFrameMs = 0): { at: number; hash: string }[] {
  const show = ['-show_packets', '-show_data_hash', 'md5', '-show_entries', 'packet=pts_time,data_hash'];
  const args = ['-v', 'error', '-select_streams', stream, ...show, '-of', 'json'];
  const { packets: found } = JSON.parse(execFileSync('ffprobe', [...args, path], { encoding: 'utf8' })) as {
    packets: { pts_time: string; data_hash: string }[];
  };
  return found
    .map(({ pts_time, data_hash }) => ({ at: Math.round(Number(pts_time) * 1000), hash: data_hash }))
    .sort((a, b) => a.at - b.at)
    .map(({ at, hash }) => ({ at: at - firstFrameMs, hash }));
}

function subtitles(path: string): { at: number; hash: string }[] {
  return packets(path, 's:0', packets(path, 'v:0')[0]?.at);
}

test('DVB subtitles are kept, and teletext is left out with the reason', async () => {
  const folder = temporaryFolder();
  const path = makeBroadcast(join(folder, 'a.ts'));
  const { outputPath, result, expected } = await passThrough(path, folder);
  expect(result.others.filter(({ kind }) => kind === 'subtitle')).toMatchObject([
    { codec: 'dvb_subtitle', language: 'deu' },
  ]);
  expect(subtitles(outputPath)).toHaveLength(4);
  expect(subtitles(outputPath)).toEqual(subtitles(path));
  expect(expected.plan.fates.map(({ stream, reason }) => [stream.codec, reason])).toEqual([
    ['aac', null],
    ['dvb_subtitle', null],
    ['dvb_teletext', 'Matroska does not support teletext'],
  ]);
});

test(
  'DVB subtitles after a timestamp discontinuity stay with their frames',
  { tags: ['slow'], timeout: 60_000 },
  () => {
    const home = makeHome(temporaryFolder());
    const once = makeBroadcast(join(home, 'once.ts'));
    const recording = readFileSync(once);
    writeFileSync(join(home, 'input/lanczos-2x/twice.ts'), Buffer.concat([recording, recording]));
    expect(run(['start', '--once', '--home', home]).status, readLog(home)).toBe(0);
    const output = join(home, 'output/lanczos-2x/twice.mkv');
    const frames = packets(output, 'v:0');
    const secondPartMs = (frames[50]?.at ?? NaN) - (frames[0]?.at ?? NaN);
    const ms = subtitles(once).map(({ at }) => at);
    const expected = [...ms, ...ms.map((at) => at + secondPartMs)];
    const found = subtitles(output).map(({ at }) => at);
    expect(found).toHaveLength(8);
    for (const [i, at] of found.entries()) expect(Math.abs(at - (expected[i] ?? NaN))).toBeLessThan(2);
    expect(readLog(home)).toContain(
      'subtitle track 3 (dvb_teletext) dropped: Matroska does not support teletext',
    );
  },
);
