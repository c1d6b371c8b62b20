import { execFileSync } from 'node:child_process';

/**
 * ffmpeg's arguments for the frames that a benchmark works on: a clip, repeated if it is too short, or a fractal with noise,
 * in which no part of a frame can be reused.
 *
 * @param {{ clip?: string | undefined, width: number, height: number }} video
 */
export function sourceOf({ clip, width, height }) {
  const size = `${width}x${height}`;
  if (clip === undefined)
    return ['-f', 'lavfi', '-i', `mandelbrot=size=${size}:rate=25,noise=alls=12:allf=t`];
  return ['-stream_loop', '-1', '-i', clip, '-an', '-vf', `scale=${width}:${height}`];
}

/**
 * Writes a video for a job.
 *
 * @param {{ clip?: string | undefined, width: number, height: number }} video
 * @param {number} frames
 * @param {string} path
 */
export function writeVideo(video, frames, path) {
  const options = ['-frames:v', String(frames), '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...sourceOf(video), ...options, path]);
}

/** Frames between two that a benchmark of an engine gets, so that they differ. */
const STEP = 10;

/**
 * Frames of a video as a model gets them: planes of red, green and blue between 0 and 1. Made-up numbers take another time
 * (a real frame took onnxruntime 20 % longer).
 *
 * @param {{ clip?: string | undefined, width: number, height: number }} video
 * @param {number} count
 */
export function readTensors(video, count) {
  const { width, height } = video;
  const options = ['-frames:v', String(count * STEP), '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...sourceOf(video), ...options], {
    maxBuffer: 2 ** 32,
  });
  const pixels = width * height;
  return Array.from({ length: count }, (_, frame) => {
    const start = ((frame + 1) * STEP - 1) * 3 * pixels;
    const data = new Float32Array(3 * pixels);
    for (let i = 0; i < data.length; i++)
      data[i] = bytes[start + (i % pixels) * 3 + Math.floor(i / pixels)] / 255;
    return { data, shape: [1, 3, height, width] };
  });
}
