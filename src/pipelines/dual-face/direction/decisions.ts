import type { Crop, PaneLayout } from '../../../domain/recipe.ts';
import type { View, ViewGeometry } from '../camera/view.ts';
import { countSituations } from './describe-direction.ts';
import type { DirectedStretch } from './direct-shot.ts';
import type { DirectorOptions } from './director-options.ts';
import type { DirectedVideo } from './director.ts';
import type { Counts } from './situations.ts';

/** What the director decided, for people to read: `.framekiln/reports/ID.split-screen.json`. Frames count from 0. */
export interface Decisions {
  /** Number of frames of each situation; each pane counts separately. */
  readonly situations: Counts;
  readonly people: readonly {
    readonly id: number;
    readonly firstFrame: number;
    /** Number of frames in which the face was found. */
    readonly frames: number;
    /** Number of embeddings by which the person was recognised. */
    readonly embeddings: number;
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
      return { id, firstFrame, frames: frames.length, embeddings };
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

function cropOf(view: View | null, { aspect }: ViewGeometry): Crop | null {
  if (view === null) return null;
  const width = view.height * aspect;
  const [x, y] = [view.centerX - width / 2, view.centerY - view.height / 2];
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(view.height) };
}
