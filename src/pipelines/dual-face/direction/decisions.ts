import type { View, ViewGeometry } from '../camera/view.ts';
import { countSituations } from './describe-direction.ts';
import type { DirectedVideo } from './director.ts';
import type { Mode } from './stretches.ts';

/** A rectangle of the source in pixels, rounded. It may extend beyond the image. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What the director decided, for people to read: `.framekiln/reports/ID.split-screen.json`. Frames count from 0. */
export interface Decisions {
  /** Number of frames of each situation; each pane counts separately. */
  readonly situations: Readonly<Record<string, number>>;
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
    readonly stretches: readonly {
      readonly from: number;
      readonly to: number;
      /** `panes`, or why the whole frame is shown. */
      readonly shows: Mode;
      readonly left: ShownPerson | null;
      readonly right: ShownPerson | null;
    }[];
  }[];
}

/** A person in a pane, with the crops at the start and at the end of the stretch. */
export interface ShownPerson {
  readonly person: number;
  readonly first: Crop | null;
  readonly last: Crop | null;
}

/** Describes the decisions for a whole video. */
export function decisionsOf(directed: DirectedVideo, geometry: ViewGeometry): Decisions {
  const { people, shots, views } = directed;
  const shown = (
    person: number | null,
    side: 'left' | 'right',
    from: number,
    to: number,
  ): ShownPerson | null => {
    if (person === null) return null;
    const cropAt = (frame: number): Crop | null => cropOf(views[frame]?.[side] ?? null, geometry);
    return { person, first: cropAt(from), last: cropAt(to - 1) };
  };
  return {
    situations: countSituations(directed),
    people: people.map(({ id, tracklets }) => {
      const frames = tracklets.flatMap(({ sightings }) => sightings.map(({ frame }) => frame));
      const embeddings = tracklets.reduce((sum, each) => sum + each.embeddings.length, 0);
      const firstFrame = frames.reduce((first, frame) => Math.min(first, frame), Infinity);
      return { id, firstFrame, frames: frames.length, embeddings };
    }),
    shots: shots.map(({ from, to, stretches }) => ({
      ...{ from, to },
      stretches: stretches.map((stretch) => ({
        ...{ from: stretch.from, to: stretch.to, shows: stretch.mode },
        left: shown(stretch.left, 'left', stretch.from, stretch.to),
        right: shown(stretch.right, 'right', stretch.from, stretch.to),
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
