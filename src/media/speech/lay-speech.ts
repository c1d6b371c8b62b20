import { mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo } from '../../domain/media-info.ts';
import { inputArguments, QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import type { SandboxAccess } from '../ffmpeg/sandbox.ts';
import { speechInput } from './decode-speech.ts';

export interface SpokenVideo {
  readonly source: MediaInfo;
  /** Path of the speech. */
  readonly audio: string;
  /** Length of the speech, which is that of the result. */
  readonly seconds: number;
  readonly extend: 'loop' | 'ping-pong' | 'hold';
  /** Lines at most; null: as many as the source has. */
  readonly lines: number | null;
  readonly maxPixels: number;
  /** Path of the result, an MP4 file. */
  readonly path: string;
}

/** Frames that are played backwards are all in memory, three times. */
const MOST_BACKWARD_BYTES = 2e9;
/** H.264 without loss: ten times smaller than raw frames, and exact. */
const LOSSLESS = ['-c:v', 'libx264', '-qp', '0', '-preset', 'ultrafast', '-g', '25'];

/**
 * Makes a video with the frames of a source, as many as a speech is long, and the speech as its audio. A shorter video is
 * continued; a longer one ends with the speech. Frames have a constant rate, as the speech features are counted by it.
 *
 * @throws InputRejectedError LIMIT_EXCEEDED if a video that is to be played backwards is too long
 */
export async function laySpeech(spoken: SpokenVideo, signal: AbortSignal): Promise<void> {
  const { path } = spoken;
  const parts = await mkdtemp(join(dirname(path), '.speech-'));
  try {
    const video = join(parts, 'video.mp4');
    await writeVideo(spoken, video, signal);
    const audio = join(parts, 'audio.mp4');
    const speech = ['-map', '0:a:0', '-t', String(spoken.seconds), '-c:a', 'aac', '-b:a', '192k', '-ac', '2'];
    await ffmpeg([...speechInput(spoken.audio), ...speech], spoken.audio, audio, signal);
    const both = [...inputArguments(video), ...inputArguments(audio), '-c', 'copy', '-map', '0', '-map', '1'];
    // Both files are our own.
    await run([...QUIET, '-y', ...both, '-f', 'mp4', `file:${path}`], basename(path), signal);
  } finally {
    await rm(parts, { recursive: true, force: true });
  }
}

async function writeVideo(spoken: SpokenVideo, target: string, signal: AbortSignal): Promise<void> {
  const { source, seconds, extend, lines, maxPixels } = spoken;
  const { video } = source;
  const rate = video.averageFrameRate ?? { num: 25, den: 1 };
  const frames = Math.max(1, Math.round((seconds * rate.num) / rate.den));
  const even = lines === null || video.height <= lines ? [] : [`scale=-2:${lines}:flags=bicubic`];
  const filters = [`fps=${rate.num}/${rate.den}`, ...even];
  const played = (video.durationSeconds ?? seconds) < seconds ? extend : 'hold';
  const loop = played === 'loop' ? ['-stream_loop', '-1'] : [];
  if (played === 'hold') filters.push('tpad=stop=-1:stop_mode=clone');
  if (played === 'ping-pong') {
    const bytes = video.width * video.height * (video.bitsPerComponent > 8 ? 3 : 1.5);
    const count = ((video.durationSeconds ?? seconds) * rate.num) / rate.den;
    if (3 * bytes * count > MOST_BACKWARD_BYTES)
      throw new InputRejectedError(
        'LIMIT_EXCEEDED',
        `${basename(source.path)} is too long to be played backwards; set extend to loop or hold in its recipe.`,
      );
    filters.push(
      `split[forth][turn];[turn]reverse[back];[forth][back]concat=n=2:v=1:a=0,loop=loop=-1:size=${2 * Math.ceil(count) + 4}:start=0`,
      `setpts=N/(${rate.num}/${rate.den})/TB`,
    );
  }
  const args = [
    ...inputArguments(source.path, { maxPixels, before: loop }),
    ...['-filter_complex', `[0:${video.index}]${filters.join(',')}[v]`, '-map', '[v]'],
    ...['-frames:v', String(frames), '-fps_mode', 'passthrough', ...LOSSLESS],
    ...['-video_track_timescale', String(rate.num)],
  ];
  await ffmpeg(args, source.path, target, signal);
}

function ffmpeg(args: readonly string[], reads: string, target: string, signal: AbortSignal): Promise<void> {
  const access = { reads, writesInto: dirname(target) };
  return run([...QUIET, '-y', ...args, '-f', 'mp4', `file:${target}`], basename(reads), signal, access);
}

async function run(
  args: readonly string[],
  what: string,
  signal: AbortSignal,
  access?: SandboxAccess,
): Promise<void> {
  const purpose = `laying a speech under ${what}`;
  const sandbox = access === undefined ? {} : { access };
  const child = new FfmpegProcess('ffmpeg', args, { purpose, signal, countsCpuTime: true, ...sandbox });
  child.stdin.end();
  child.stdout.resume();
  child.extra.resume();
  await child.ended;
}
