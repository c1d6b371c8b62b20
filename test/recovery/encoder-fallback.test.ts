import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ffmpeg, framePsnr, makeClip } from '../helpers/clips.ts';
import { fakeMachine, RTX_4090 } from '../helpers/fake-machine.ts';
import { makeHome, readLog, run, tracedFrames } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** PSNR in dB that a frame reaches after the model and scaling back. */
const MIN_PSNR = 25;

const NO_GPU = /encoding on the CPU with libx264: no NVIDIA GPU or driver found/;

test.skipIf(existsSync('/dev/nvidia0'))(
  'when NVENC is listed but does not work, the log says so once and the job is encoded on the CPU',
  { tags: ['slow'] },
  () => {
    const home = makeHome(temporaryFolder());
    makeClip(join(home, 'input/clip.mp4'), { frames: 40 });
    // Without --set the probe switches NVENC off, and it is never tried.
    expect(run(['start', '--once', '--home', home, '--set', 'encoder.nvenc=true']).status).toBe(0);
    const frames = framePsnr(join(home, 'output/clip.mp4'), join(home, 'input/clip.mp4'));
    expect(frames).toHaveLength(40);
    expect(Math.min(...frames)).toBeGreaterThan(MIN_PSNR);
    expect(readLog(home).match(new RegExp(NO_GPU, 'g'))).toHaveLength(1);
  },
);

test(
  'when NVENC fails in mid-job the same frames are encoded on the CPU, without inference again',
  { tags: ['slow'] },
  () => {
    const home = makeHome(temporaryFolder());
    const trace = join(home, 'trace.log');
    makeClip(join(home, 'input/clip.mp4'), { frames: 80 });
    const gpu = fakeMachine(temporaryFolder(), { gpu: RTX_4090, nvenc: 2, goodSegments: 3 });
    const { status } = run(['start', '--once', '--home', home], { PATH: gpu.path, FRAMEKILN_TRACE: trace });
    expect(status).toBe(0);
    const log = readLog(home);
    expect(log).toMatch(/encoding on the GPU with h264_nvenc/);
    expect(log).toMatch(
      /encoding on the CPU with libx264: NVENC failed to encode a batch \(.*EncodePicture failed/,
    );
    expect(gpu.events().filter(({ event, use }) => event === 'open' && use === 'segment')).toHaveLength(4);
    const inferred = tracedFrames(trace);
    expect(new Set(inferred).size).toBe(inferred.length);
    const output = join(home, 'output/clip.mp4');
    const frames = framePsnr(output, join(home, 'input/clip.mp4'));
    expect(frames).toHaveLength(80);
    expect(Math.min(...frames)).toBeGreaterThan(MIN_PSNR);
    expect(ffmpeg('-xerror', '-i', output, '-f', 'null', '-')).toBe('');
  },
);
