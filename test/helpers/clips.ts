import { execFileSync } from 'node:child_process';

/** Runs ffmpeg and returns its output; throws with its error output when it fails. */
export function ffmpeg(...args: string[]): string {
  return execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export interface ClipRequest {
  readonly width?: number;
  readonly height?: number;
  readonly frames?: number;
  readonly rate?: string;
  readonly audio?: boolean;
  /** ffmpeg filter for the test image, such as one that makes the frame rate vary. */
  readonly filter?: string;
  readonly encoder?: readonly string[];
}

/** Makes a small clip of a moving test image, with a tone. */
export function makeClip(path: string, request: ClipRequest = {}): string {
  const { width = 64, height = 48, frames = 50, rate = '25', audio = true, filter, encoder } = request;
  const image = `testsrc2=size=${width}x${height}:rate=${rate}${filter === undefined ? '' : `,${filter}`}`;
  ffmpeg(
    ...['-f', 'lavfi', '-i', image],
    ...(audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440', '-shortest', '-c:a', 'aac'] : []),
    ...['-frames:v', String(frames), '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p'],
    ...(encoder ?? ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '12', '-bf', '2']),
    path,
  );
  return path;
}

/** Output of `-f framemd5` for the main video: a line for each frame, with its timestamp and the md5 of its image. */
export function frameMd5(path: string): string[] {
  const text = ffmpeg('-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', '-');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** PSNR of the luma in dB of each frame of an upscaled video, scaled back to the size of its source, against the source. */
export function framePsnr(upscaled: string, source: string): number[] {
  const filter = '[0:v][1:v]scale2ref[small][ref];[small][ref]psnr=stats_file=-';
  const text = ffmpeg('-i', upscaled, '-i', source, '-lavfi', filter, '-f', 'null', '/dev/null');
  return [...text.matchAll(/psnr_y:(\S+)/g)].map(([, db]) => Number(db));
}
