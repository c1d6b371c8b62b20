import { mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { MediaInfo } from '../../domain/media-info.ts';
import { isRgb } from '../decode/color-conversion.ts';
import { inputArguments, QUIET, QUIET_LENIENT } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import type { SandboxAccess } from '../ffmpeg/sandbox.ts';
import { fieldFilters } from '../fields/field-filters.ts';
import type { FrameIndex } from '../index/frame-index.ts';
import { speechInput } from './decode-speech.ts';
import type { LosslessCodec } from './lossless-codec.ts';
import type { SpokenVideo } from './spoken-video.ts';

export interface SpeechToLay {
  readonly media: MediaInfo;
  readonly index: FrameIndex;
  readonly video: SpokenVideo;
  readonly codec: LosslessCodec;
  /** Path of the speech; null for silence, as long as the speech is still arriving. */
  readonly audio: string | null;
  readonly maxPixels: number;
  /** Path of the result, an MP4 or MOV file. */
  readonly path: string;
}

/**
 * Makes a video with the frames of a source, as many as a speech is long, and the speech as its audio. Interlaced frames are
 * deinterlaced. Frames have a constant rate, as the speech features are counted by it.
 */
export async function laySpeech(speech: SpeechToLay, signal: AbortSignal): Promise<void> {
  const { media, video, path, audio } = speech;
  const parts = await mkdtemp(join(dirname(path), '.speech-'));
  const { format } = speech.codec;
  const run = (args: readonly string[], target: string, access?: SandboxAccess): Promise<void> =>
    ffmpeg(['-y', ...args, '-f', format, `file:${target}`], basename(media.path), signal, access);
  try {
    const sound = join(parts, 'sound.mp4');
    const aac = ['-map', '0:a:0', '-t', String(video.seconds), '-c:a', 'aac', '-b:a', '192k', '-ac', '2'];
    if (audio === null) await run([...QUIET, ...SILENCE, ...aac], sound);
    else await run([...QUIET, ...speechInput(audio), ...aac], sound, { reads: audio, writesInto: parts });
    const repeats = video.cycleFrames < video.frames;
    const input = sourceInput(speech);
    const output = cycleOutput(speech);
    // In one folder, so that the sandbox lets ffmpeg read one file of it and write another.
    const access = { reads: media.path, writesInto: dirname(path) };
    if (!repeats) {
      const withSound = [...input, ...inputArguments(sound), ...output, '-map', '1:a', '-c:a', 'copy'];
      await run([...QUIET_LENIENT, ...withSound], path, access);
      return;
    }
    const cycle = join(parts, 'cycle.mp4');
    await run([...QUIET_LENIENT, ...input, ...output], cycle, access);
    // Not by -frames:v, with which ffmpeg ends the audio too as soon as the last frame is written.
    const seconds = ((video.frames - 0.5) * video.rate.den) / video.rate.num;
    const before = ['-stream_loop', '-1', '-t', seconds.toFixed(6)];
    const both = [...inputArguments(cycle, { before }), ...inputArguments(sound)];
    // Both files are our own.
    await run([...QUIET, ...both, '-map', '0:v', '-map', '1:a', '-c', 'copy', ...timescale(video)], path);
  } finally {
    await rm(parts, { recursive: true, force: true });
  }
}

const SILENCE = ['-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo'];

/** With the timestamps of the file, to which the field filters refer. How much damage is too much was decided before. */
function sourceInput({ media, maxPixels }: SpeechToLay): string[] {
  return ['-max_error_rate', '1', ...inputArguments(media.path, { maxPixels, before: ['-copyts'] })];
}

/** The frames of the source until they repeat themselves, without loss; in H.264 ten times smaller than raw frames. */
function cycleOutput({ media, index, video, codec }: SpeechToLay): string[] {
  const { rate, width, height, ownFrames, cycleFrames, continues } = video;
  const frameRate = `${rate.num}/${rate.den}`;
  const filters = [
    ...fieldFilters(index),
    'setpts=PTS-STARTPTS',
    `fps=${frameRate}`,
    `scale=${width}:${height}:flags=bicubic${sameRange(media)}`,
  ];
  // Rounded times may give one frame less than the duration does, and then the cycle would be another one.
  filters.push('tpad=stop=-1:stop_mode=clone');
  if (continues !== 'hold') filters.push(`trim=end_frame=${ownFrames}`);
  if (continues === 'ping-pong')
    filters.push('split[forth][turn];[turn]reverse[back];[forth][back]concat=n=2:v=1:a=0');
  filters.push(`trim=end_frame=${cycleFrames}`);
  if (codec.convertedTo !== null) filters.push(`format=${codec.convertedTo}`);
  return [
    ...['-filter_complex', `[0:${media.video.index}]${filters.join(',')}[v]`, '-map', '[v]'],
    ...['-fps_mode', 'passthrough', ...codec.arguments],
    ...timescale(video),
  ];
}

/**
 * The same time base for all lengths of a speech: segments that were made while it arrived are joined with segments that are
 * made when its length is known.
 */
function timescale({ rate }: SpokenVideo): string[] {
  return ['-video_track_timescale', String(rate.num)];
}

/** Without it, swscale converts full range to limited range when it changes the pixel format. */
function sameRange({ video: { color, pixelFormat } }: MediaInfo): string {
  const { range } = color;
  return range === null || isRgb(pixelFormat) ? '' : `:in_range=${range}:out_range=${range}`;
}

async function ffmpeg(
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
