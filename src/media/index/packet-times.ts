import { createInterface } from 'node:readline';
import { inputArguments } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

/** First and last packet timestamp of a track in seconds, and the number of its packets that have a timestamp. */
export interface PacketTimes {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** Reads the packet timestamps of all audio tracks of a file, by stream index, without decoding. */
export async function readPacketTimes(
  path: string,
  purpose: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, PacketTimes>> {
  const args = [
    '-loglevel',
    'error',
    '-select_streams',
    'a',
    '-show_entries',
    'packet=stream_index,pts_time',
  ];
  const child = new FfmpegProcess('ffprobe', [...args, '-of', 'csv=p=0', ...inputArguments(path)], {
    purpose,
    signal,
    access: { reads: path },
  });
  child.stdin.end();
  child.extra.resume();
  const times = new Map<number, PacketTimes>();
  for await (const line of createInterface({ input: child.stdout })) {
    child.touch();
    const [index, at] = line.split(',').map((field) => (field === '' ? NaN : Number(field)));
    if (index === undefined || at === undefined || !Number.isFinite(index) || !Number.isFinite(at)) continue;
    const known = times.get(index);
    times.set(index, {
      count: (known?.count ?? 0) + 1,
      first: Math.min(known?.first ?? at, at),
      last: Math.max(known?.last ?? at, at),
    });
  }
  await child.ended;
  return times;
}
