import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../config/home.ts';
import { QUIET } from '../media/ffmpeg/ffmpeg-arguments.ts';
import { createForUser } from '../workspace/durable-file.ts';
import { runForText } from '../media/ffmpeg/run-for-text.ts';

/** Small enough that a CPU upscales it within a minute. */
const IMAGE = 'testsrc2=size=160x90:rate=12:duration=3';
const AUDIO = 'sine=frequency=440:duration=3';

/**
 * Puts a clip of 3 s with a moving image and a tone into `input/`, by a rename, so that the intake never sees part of
 * it. Returns its path.
 */
export async function putSampleClip(home: Home): Promise<string> {
  const path = join(home.input, 'sample.mp4');
  const temporaryPath = join(home.stateDir, 'sample.mp4');
  const sources = ['-f', 'lavfi', '-i', IMAGE, '-f', 'lavfi', '-i', AUDIO];
  const encoding = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'];
  try {
    await rm(temporaryPath, { force: true });
    createForUser(temporaryPath);
    await runForText('ffmpeg', [...QUIET, ...sources, ...encoding, '-y', `file:${temporaryPath}`], {
      purpose: 'generating the sample clip',
    });
    await rename(temporaryPath, path);
  } finally {
    await rm(temporaryPath, { force: true });
  }
  return path;
}
