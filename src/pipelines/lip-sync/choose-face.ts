import type { FrameFormat } from '../../domain/media-info.ts';
import type { LipSyncRecipe } from '../../domain/recipe.ts';
import type { Observation } from '../dual-face/analysis/observation.ts';
import type { Box } from '../dual-face/tracking/box.ts';
import type { SpeakingBox } from './face-boxes.ts';

/** A face that was followed without a doubt, with its box in each frame from the first one on. */
interface FollowedFace {
  readonly first: number;
  readonly boxes: Box[];
  readonly seen: number;
}

/** Minimum score of a detection that can be somebody who speaks. */
const MIN_SCORE = 0.5;
/** A face is passed over if it is seen for less than this share of the longest one of its shot. */
const MIN_SHARE = 0.2;
/** From this share on, a face comes before all that are seen for less time: detectors take larger things for a face now and then. */
const LONG_SHARE = 0.5;
/** Frames over which boxes are averaged, as many as Wav2Lip does. */
const SMOOTHING = 5;
/** Detectors end at the chin; the model also draws what is below it. */
const CHIN = 0.05;

/**
 * The box of the face that speaks in each frame, in whole pixels inside the frame; null where there is none. In each shot it
 * is one face, and another one only where the first is not there. A face of another shot is another face.
 */
export function chooseFaces(
  observations: readonly Observation[],
  face: LipSyncRecipe['face'],
  format: Pick<FrameFormat, 'width' | 'height'>,
): (SpeakingBox | null)[] {
  const chosen: ({ readonly face: FollowedFace; readonly box: Box } | null)[] = observations.map(() => null);
  for (const shot of shotsOf(observations)) {
    const longest = Math.max(0, ...shot.map(({ seen }) => seen));
    const fitting = shot.filter(({ seen }) => seen >= MIN_SHARE * longest);
    const isLong = ({ seen }: FollowedFace): number => Number(seen >= LONG_SHARE * longest);
    const ranked = fitting.sort(
      (a, b) => isLong(b) - isLong(a) || rank(b, face) - rank(a, face) || a.first - b.first,
    );
    for (const face of ranked)
      for (const i of face.boxes.keys()) {
        const box = wholePixels(meanBox(face.boxes, i), format);
        if (box !== null) chosen[face.first + i] ??= { face, box };
      }
  }
  return chosen.map((own, frame) =>
    own === null ? null : { ...own.box, startsRun: own.face !== chosen[frame - 1]?.face },
  );
}

function shotsOf(observations: readonly Observation[]): FollowedFace[][] {
  const shots: Map<number, { first: number; boxes: Box[]; seen: number }>[] = [];
  for (const [frame, { isNewShot, faces }] of observations.entries()) {
    if (isNewShot || shots.length === 0) shots.push(new Map());
    const shot = shots.at(-1);
    for (const { tracklet, box, score } of faces ?? []) {
      if (score < MIN_SCORE || shot === undefined) continue;
      const face = shot.get(tracklet) ?? { first: frame, boxes: [], seen: 0 };
      shot.set(tracklet, face);
      face.boxes.push(...between(face.boxes.at(-1) ?? box, box, frame - face.first - face.boxes.length), box);
      face.seen++;
    }
  }
  return shots.map((shot) => [...shot.values()]);
}

/** The boxes of the frames in which a face was not detected, on the way from one box to the next. */
function between(from: Box, to: Box, count: number): Box[] {
  return Array.from({ length: count }, (_, i) => {
    const share = (i + 1) / (count + 1);
    const at = (key: keyof Box): number => from[key] + (to[key] - from[key]) * share;
    return { x: at('x'), y: at('y'), width: at('width'), height: at('height') };
  });
}

function rank({ boxes, seen }: FollowedFace, face: LipSyncRecipe['face']): number {
  const sum = (of: (box: Box) => number): number => boxes.reduce((total, box) => total + of(box), 0);
  if (face === 'largest') return (sum(({ width, height }) => width * height) / boxes.length) * seen;
  const middle = sum(({ x, width }) => x + width / 2) / boxes.length;
  return face === 'left' ? -middle : middle;
}

function meanBox(boxes: readonly Box[], at: number): Box {
  const reach = (SMOOTHING - 1) / 2;
  const near = boxes.slice(Math.max(0, at - reach), at + reach + 1);
  const mean = (key: keyof Box): number => near.reduce((sum, box) => sum + box[key], 0) / near.length;
  return { x: mean('x'), y: mean('y'), width: mean('width'), height: mean('height') };
}

/** null for a face that is hardly in the frame. */
function wholePixels(
  { x, y, width, height }: Box,
  format: Pick<FrameFormat, 'width' | 'height'>,
): Box | null {
  const left = Math.max(0, Math.round(x));
  const top = Math.max(0, Math.round(y));
  const right = Math.min(format.width, Math.round(x + width));
  const bottom = Math.min(format.height, Math.round(y + height * (1 + CHIN)));
  const isInside = right - left >= width / 2 && bottom - top >= height / 2 && right - left >= 8;
  return isInside ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}
