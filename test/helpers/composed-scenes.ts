import { execFileSync } from 'node:child_process';
import type { Face, FaceDetector } from '../../src/pipelines/dual-face/detection/face.ts';
import type { Box } from '../../src/pipelines/dual-face/tracking/box.ts';
import type { LabelledBox } from './tracking/tracking-metrics.ts';
import { sharedMedia } from './shared-media.ts';

/** Area around the upper body of a person in the real clips: 300x300 of 640x480. */
const CUT = { x: 150, y: 0, width: 300, height: 300 };
const SOURCE = { width: 640, height: 480 };
export const SCENE = { width: 1280, height: 400 };

/** The frames of a person's clips, concatenated. */
export interface Actor {
  readonly frames: readonly Buffer[];
  /** Box of the face in the cut of each frame; null if the detector does not find it. */
  readonly faces: readonly (Box | null)[];
}

/** Positions of the actors' cuts in the scene; null: not visible. Later ones cover earlier ones. */
export type Places = readonly ({ readonly actor: Actor; readonly id: number; readonly x: number } | null)[];

export interface ComposedFrame {
  readonly pixels: Buffer;
  readonly truth: readonly LabelledBox[];
}

/** Reads clips of shared/media/faces, which show one person each, at 15 frames per second and finds their faces. */
export async function readActor(detector: FaceDetector, clips: readonly string[]): Promise<Actor> {
  const frames = clips.flatMap((clip) => framesOf(sharedMedia(`faces/${clip}.mkv`)));
  const faces: (Box | null)[] = [];
  for (const frame of frames) {
    const [best] = await detector.detect(frame, SOURCE.width, SOURCE.height);
    faces.push(best === undefined || best.score < 0.5 ? null : inCut(best));
  }
  return { frames, faces };
}

/** Composes a frame of the scene; `truth` has its visible faces. */
export function compose(frame: number, places: Places): ComposedFrame {
  const pixels = Buffer.alloc(SCENE.width * SCENE.height * 3, 150);
  const truth: LabelledBox[] = [];
  for (const place of places) {
    if (place === null) continue;
    const { actor, id, x } = place;
    const at = frame % actor.frames.length;
    draw(actor.frames[at] ?? Buffer.alloc(0), pixels, Math.round(x));
    const left = Math.round(x);
    const covers = ({ box }: LabelledBox): boolean =>
      box.x + box.width / 2 > left && box.x + box.width / 2 < left + CUT.width;
    truth.splice(0, truth.length, ...truth.filter((each) => !covers(each)));
    const face = actor.faces[at] ?? null;
    if (face !== null) truth.push({ id, box: { ...face, x: face.x + left, y: face.y + TOP } });
  }
  return { pixels, truth };
}

const TOP = SCENE.height - CUT.height;

function inCut({ box }: Face): Box {
  return { ...box, x: box.x - CUT.x, y: box.y - CUT.y };
}

function draw(source: Buffer, scene: Buffer, x: number): void {
  const from = Math.max(0, -x);
  const to = Math.min(CUT.width, SCENE.width - x);
  if (to <= from) return;
  for (let y = 0; y < CUT.height; y++) {
    const row = ((CUT.y + y) * SOURCE.width + CUT.x) * 3;
    source.copy(scene, ((TOP + y) * SCENE.width + x + from) * 3, row + from * 3, row + to * 3);
  }
}

function framesOf(path: string): Buffer[] {
  const raw = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-vf', 'fps=15', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
    { maxBuffer: 1 << 30 },
  );
  const bytes = SOURCE.width * SOURCE.height * 3;
  return Array.from({ length: raw.length / bytes }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes));
}
