/** The actors of the composed scenes: one person each, from single-person clips. */
import { execFileSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';

/** The people, each with a clip of `--faces` in which the face is hardly ever covered. */
export const CLIPS = {
  A: 'again.mkv',
  B: 'milk.mkv',
  C: 'book.mkv',
  D: 'head-pose-face-detection-female.gif',
  E: 'head-pose-face-detection-male.gif',
};
/** The frames of `--profile` (test_cif_P_CABAC_slice.264) in which the man turns to a full profile. */
export const PROFILE = { from: 140, count: 36, skip: false };
const SIZE = { width: 640, height: 480 };
/** Frames of a clip that are used, forwards and backwards in turn. */
const FRAMES = 40;
const SKIPPED_SECONDS = '0.4';

/**
 * The actors of a folder of clips; F is somebody who turns to a full profile.
 *
 * @param profile path of the video of F; absent: F is not there
 */
export async function readActors(folder, profile, detector) {
  const actors = {};
  for (const [id, clip] of Object.entries(CLIPS)) actors[id] = await readActor(folder, clip, detector);
  if (profile !== undefined)
    actors.F = await readActor(dirname(profile), basename(profile), detector, PROFILE);
  return actors;
}

/** Reads a clip and finds the face in each frame; where the detector misses it, the nearest found one counts. */
export async function readActor(folder, clip, detector, { count = FRAMES, skip = true, from = 0 } = {}) {
  const raw = execFileSync(
    'ffmpeg',
    [
      ...[
        '-v',
        'error',
        ...(skip ? ['-ss', SKIPPED_SECONDS] : []),
        '-i',
        join(folder, clip),
        '-frames:v',
        String(count),
      ],
      ...[
        '-vf',
        `${from > 0 ? `select=gte(n\\,${from}),setpts=PTS-STARTPTS,` : ''}scale=${SIZE.width}:${SIZE.height}:force_original_aspect_ratio=increase,crop=${SIZE.width}:${SIZE.height}`,
      ],
      ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    ],
    { maxBuffer: 2 ** 30 },
  );
  const bytes = SIZE.width * SIZE.height * 3;
  const frames = Array.from({ length: raw.length / bytes }, (_, i) =>
    raw.subarray(i * bytes, (i + 1) * bytes),
  );
  const found = [];
  for (const pixels of frames) {
    const [best] = await detector.detect(pixels, SIZE.width, SIZE.height);
    found.push(best !== undefined && best.score > 0.6 ? best : null);
  }
  const nearest = (i) =>
    found
      .map((face, at) => ({ face, away: Math.abs(at - i) }))
      .filter(({ face }) => face !== null)
      .sort((a, b) => a.away - b.away)[0];
  const faces = frames.map((_, i) => {
    const found = nearest(i);
    if (found === undefined) throw new Error(`${clip}: no face was found.`);
    return found.face;
  });
  return {
    frames,
    boxes: faces.map(({ box }) => box),
    mouths: faces.map(({ landmarks: [, , , right, left = right] }) => ({
      x: (right.x + left.x) / 2,
      y: (right.y + left.y) / 2,
    })),
    ...SIZE,
  };
}

/** The frame of an actor at a time, and the face in it. */
export function poseOf(actor, time) {
  const last = actor.frames.length - 1;
  const turn = time % (2 * last);
  const at = turn <= last ? turn : 2 * last - turn;
  return { pixels: actor.frames[at], box: actor.boxes[at], mouth: actor.mouths[at], first: actor.boxes[0] };
}
