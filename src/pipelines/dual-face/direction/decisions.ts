import type { Crop, PaneLayout } from '../../../domain/recipe.ts';
import type { View, ViewGeometry } from '../camera/view.ts';
import type { Sighting } from '../identity/tracklet.ts';
import { countSituations } from './describe-direction.ts';
import type { DirectedStretch } from './direct-shot.ts';
import type { DirectorOptions } from './director-options.ts';
import type { DirectedVideo } from './director.ts';
import type { Counts } from './situations.ts';

/** Edge of a thumbnail in heights of the face. */
const THUMBNAIL_HEIGHTS = 1.8;

/** What the director decided, for people to read: `.framekiln/reports/ID.split-screen.json`. Frames count from 0. */
export interface Decisions {
  /** Number of frames of each situation; each pane counts separately. */
  readonly situations: Counts;
  /** Number of frames in which close-ups are upscaled by a model; the pipeline adds it. */
  readonly framesEnhanced?: number;
  readonly people: readonly {
    readonly id: number;
    readonly firstFrame: number;
    /** Number of frames in which the face was found. */
    readonly frames: number;
    /** Number of embeddings by which the person was recognised. */
    readonly embeddings: number;
    /** Where the face is seen best: frame and surroundings of the thumbnail. */
    readonly look: Look;
    /** Name of the thumbnail, beside this file; absent if none could be made. */
    readonly thumbnail?: string;
  }[];
  readonly shots: readonly {
    readonly from: number;
    /** The first frame of the next shot. */
    readonly to: number;
    readonly situations: Counts;
    readonly stretches: readonly {
      readonly from: number;
      readonly to: number;
      /** `panes`, or why the whole frame is shown; `crop` and `whole` if the sidecar file asks for that. */
      readonly shows: DirectedStretch['mode'];
      readonly layout: PaneLayout;
      /** In reading order; null: the pane is empty. Empty if the whole frame is shown. */
      readonly panes: readonly (ShownPane | null)[];
      /** Present in the spans of the sidecar file. */
      readonly corrected?: true;
    }[];
  }[];
}

export interface Look {
  readonly frame: number;
  readonly crop: Crop;
}

/** What a pane shows at the start and at the end of the stretch. */
export interface ShownPane {
  /** null: a crop of the sidecar file. */
  readonly person: number | null;
  readonly first: Crop | null;
  readonly last: Crop | null;
}

/** Describes the decisions for a whole video. */
export function decisionsOf(directed: DirectedVideo, geometryOf: DirectorOptions['geometryOf']): Decisions {
  const { people, shots, views } = directed;
  const panesOf = ({ from, to, mode, people: shown }: DirectedStretch): (ShownPane | null)[] => {
    const { layout, panes } = views[from] ?? { layout: 'side-by-side', panes: [] };
    const geometry = geometryOf(layout, panes.length);
    const cropAt = (frame: number, pane: number): Crop | null =>
      cropOf(views[frame]?.panes[pane] ?? null, geometry);
    const ids = mode === 'crop' ? panes.map(() => null) : shown;
    return ids.map((person, i) =>
      person === null && mode !== 'crop' ? null : { person, first: cropAt(from, i), last: cropAt(to - 1, i) },
    );
  };
  return {
    situations: countSituations(directed),
    people: people.map(({ id, tracklets }) => {
      const frames = tracklets.flatMap(({ sightings }) => sightings.map(({ frame }) => frame));
      const embeddings = tracklets.reduce((sum, each) => sum + each.embeddings.length, 0);
      const firstFrame = frames.reduce((first, frame) => Math.min(first, frame), Infinity);
      const look = bestLook(
        tracklets.flatMap(({ sightings }) => sightings),
        geometryOf('side-by-side', 1),
      );
      return { id, firstFrame, frames: frames.length, embeddings, look };
    }),
    shots: shots.map(({ from, to, stretches, counts }) => ({
      ...{ from, to },
      situations: counts,
      stretches: stretches.map((stretch) => ({
        ...{ from: stretch.from, to: stretch.to, shows: stretch.mode, layout: stretch.layout },
        panes: panesOf(stretch),
        ...(stretch.isCorrected ? { corrected: true as const } : {}),
      })),
    })),
  };
}

/** Around the best sighting, inside the image. @param geometry with the size of the source */
function bestLook(sightings: readonly Sighting[], { width, height }: ViewGeometry): Look {
  const rank = ({ quality = 0, score, box }: Sighting): number[] => [quality, score * box.height];
  const isBetter = (a: number[], b: number[]): boolean =>
    (a[0] ?? 0) > (b[0] ?? 0) || (a[0] === b[0] && (a[1] ?? 0) > (b[1] ?? 0));
  const best = sightings.reduce((a, b) => (isBetter(rank(b), rank(a)) ? b : a));
  const { box } = best;
  const edge = Math.round(Math.min(width, height, THUMBNAIL_HEIGHTS * box.height));
  const start = (center: number, all: number): number =>
    Math.round(Math.min(all - edge, Math.max(0, center - edge / 2)));
  return {
    frame: best.frame,
    crop: {
      x: start(box.x + box.width / 2, width),
      y: start(box.y + box.height / 2, height),
      ...{ width: edge, height: edge },
    },
  };
}

function cropOf(view: View | null, { aspect }: ViewGeometry): Crop | null {
  if (view === null) return null;
  const width = view.height * aspect;
  const [x, y] = [view.centerX - width / 2, view.centerY - view.height / 2];
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(view.height) };
}
