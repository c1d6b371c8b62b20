import { execFileSync } from 'node:child_process';

const ffmpeg = (...args) =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { encoding: 'utf8' });

/** Frames in a batch of the bench. */
export const FRAMES = 4;

/** Makes a small clip that fills a number of batches. @returns its path */
export function makeClip(path, batches) {
  const image = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-frames:v', String(batches * FRAMES)];
  ffmpeg(...image, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'veryfast', path);
  return path;
}

/** A line for each frame of a video. */
export function frameMd5(path) {
  const text = ffmpeg('-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', '-');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
