import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { frameMd5, makeClip } from '../clips.ts';
import { filesBelow, makeHome, run } from '../framekiln.ts';

/** Settings of all homes. The sizes of batches decide where keyframes are, and so what the frames look like. */
export const WALK_SETTINGS =
  'intake: { settleSeconds: 0.2, rescanSeconds: 1 }\nbatch: { firstFrames: 4, frames: 4 }\n' +
  'workspace: { memoryFraction: 0.05 }\nrecipe: { model: lanczos, scale: 2 }\n';

export const SCALES = [2, 3] as const;
const COUNT = 6;

/** A video that a walk drops into folders, under many names. */
export interface Content {
  readonly number: number;
  readonly bytes: Buffer;
  readonly extension: '.mp4' | '.mkv';
}

/** The contents of all walks, and what Framekiln makes of them in an undisturbed run. */
export interface Contents {
  readonly all: readonly Content[];
  /** The content and scale of a finished video, such as `3 at 2x`, or null; judged by its images alone. */
  readonly identify: (path: string) => string | null;
}

/** Makes six clips, half of them in a container that can be decoded before its end is written, and their references. */
export function makeContents(folder: string): Contents {
  const home = makeHome(folder, WALK_SETTINGS);
  const sources = SCALES.map((scale) => join(home, `input/lanczos-${scale}x`));
  for (const source of sources) mkdirSync(source, { recursive: true });
  const all = Array.from({ length: COUNT }, (_, number): Content => {
    const extension = number % 2 === 0 ? '.mp4' : '.mkv';
    const paths = sources.map((source) =>
      makeClip(join(source, `${number}${extension}`), {
        ...{ width: 32, height: 32, frames: 10, audio: false, filter: `hue=h=${number * 60}` },
      }),
    );
    return { number, extension, bytes: readFileSync(paths[0] ?? '') };
  });
  const { status, stderr } = run(['start', '--once', '--home', home]);
  if (status !== 0) throw new Error(`The references could not be made: ${stderr}`);
  const references = new Map(
    filesBelow(join(home, 'output')).map((path) => {
      const [, scale, number] = /-(\d)x\/(\d)/.exec(path) ?? [];
      return [imagesOf(join(home, 'output', path)), `${number} at ${scale}x`];
    }),
  );
  if (references.size !== COUNT * SCALES.length) throw new Error('Two references have the same images.');
  const known = new Map<string, string | null>();
  const identify = (path: string): string | null => {
    const sha256 = sha256Of(readFileSync(path));
    const found = known.get(sha256) ?? references.get(imagesOf(path)) ?? null;
    known.set(sha256, found);
    return found;
  };
  return { all, identify };
}

/** Hash of the images of a video, or an empty text if it cannot be decoded. */
function imagesOf(path: string): string {
  try {
    return frameMd5(path)
      .map((line) => line.split(',').at(-1)?.trim() ?? '')
      .join(' ');
  } catch {
    return '';
  }
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
