/**
 * The composed scenes, 640x360 at 25 frames per second. A scene has a number of `frames`, the `cuts` (first frames of new
 * shots), `at(frame)` with the layers of a frame (see compose.mjs), and what the panes should show: `panes` (see compose.mjs),
 * and `any` allows every pair.
 */
export const SIZE = { width: 640, height: 360 };
export const RATE = 25;

const person = (id, x, h = 80, y = 150) => ({ id, x, y, h });
const shot = (set, ...people) => [{ weight: 1, set, people }];
/** Progress from frame `from` to frame `to`, 0 to 1. */
const progress = (frame, from, to) => Math.min(1, Math.max(0, (frame - from) / (to - from)));

/** Everybody who is in a scene. */
export function actorsIn(scene) {
  const frames = Array.from({ length: scene.frames }, (_, i) => scene.at(i));
  return new Set(frames.flatMap((layers) => layers.flatMap(({ people }) => people.map(({ id }) => id))));
}

/** A scene of shots that follow each other: pairs of a length in frames and the layers. */
function edited(...shots) {
  let frames = 0;
  const starts = shots.map(([length]) => (frames += length) - length);
  return {
    frames,
    cuts: starts.slice(1),
    at: (frame) => shots[starts.findLastIndex((start) => start <= frame)][1],
  };
}

const TWO_SHOT = shot(0, person('A', 170), person('B', 470));
const MOVED = shot(1, person('A', 330), person('B', 540));
const WIDER = shot(2, person('A', 90, 55), person('B', 260, 55));
const CLOSER = shot(0, person('A', 150, 105), person('B', 490, 105));
/** People who were not seen before. */
const OTHERS = [{ ...shot(6, person('D', 320, 90, 160), person('E', 540, 90, 160))[0], panes: ['D', 'E'] }];
const dark = (layers) => layers.map((layer) => ({ ...layer, level: 0.16 }));
const ONLY_A = shot(3, person('A', 250, 110));
const ONLY_B = shot(4, person('B', 390, 110));

const GRID = { layout: 'grid' };
const showing = (panes, layers) => layers.map((layer) => ({ ...layer, panes }));
const THREE = showing(
  ['A', 'B', 'C'],
  shot(0, person('A', 110, 60), person('B', 320, 60), person('C', 530, 60)),
);
const MOVED_THREE = showing(
  ['A', 'B', 'C'],
  shot(2, person('A', 250, 70), person('B', 420, 70), person('C', 570, 70)),
);
/** The reverse angle: the order of the panes stays that of the first shot. */
const REVERSED_THREE = showing(
  ['A', 'B', 'C'],
  shot(5, person('C', 100, 70), person('B', 310, 70), person('A', 520, 70)),
);
const FOUR = showing(
  ['A', 'D', 'B', 'E'],
  shot(1, person('A', 80, 55), person('D', 240, 55), person('B', 400, 55), person('E', 560, 55)),
);
/** As in a video call. */
const CALL = showing(
  ['A', 'D', 'B', 'E'],
  shot(
    4,
    person('A', 170, 50, 75),
    person('D', 480, 50, 75),
    person('B', 170, 50, 245),
    person('E', 480, 50, 245),
  ),
);

export const SCENES = {
  'static two-shot': edited([80, TWO_SHOT]),
  'cuts moved': edited([30, TWO_SHOT], [30, MOVED], [30, WIDER]),
  'cuts each second': edited([25, TWO_SHOT], [25, MOVED], [25, TWO_SHOT], [25, WIDER], [25, MOVED]),
  'cuts to others and back': edited([30, TWO_SHOT], [30, OTHERS], [30, MOVED]),
  'cuts before faces are known': edited([8, TWO_SHOT], [8, MOVED], [8, WIDER], [8, TWO_SHOT], [30, MOVED]),
  'punch-in': edited([40, TWO_SHOT], [40, CLOSER]),
  'dissolve of 20 frames': {
    ...{ frames: 100, cuts: [50], dissolve: [40, 60] },
    at: (frame) => {
      const share = progress(frame, 39, 60);
      if (share === 0) return TWO_SHOT;
      if (share === 1) return MOVED;
      return [
        { ...TWO_SHOT[0], weight: 1 - share },
        { ...MOVED[0], weight: share },
      ];
    },
  },
  'dark cut': edited([40, dark(TWO_SHOT)], [40, dark(MOVED)]),
  'reverse-shot': edited([30, ONLY_A], [30, ONLY_B], [40, TWO_SHOT], [20, ONLY_B], [20, ONLY_A], [30, MOVED]),
  'reverse angle': edited([40, TWO_SHOT], [30, ONLY_A], [40, shot(5, person('B', 150), person('A', 480))]),
  alternation: edited([25, ONLY_A], [25, ONLY_B], [25, ONLY_A], [25, ONLY_B]),
  'one person': edited([80, ONLY_A]),
  walker: {
    ...{ frames: 110, cuts: [] },
    at: (frame) =>
      shot(
        0,
        person('A', 110),
        person('B', 550 - 260 * (progress(frame, 25, 55) - progress(frame, 70, 100))),
      ),
  },
  occlusion: {
    ...{ frames: 110, cuts: [], hides: true },
    at: (frame) =>
      shot(0, person('B', 460), person('A', 150 + 310 * (progress(frame, 25, 50) - progress(frame, 60, 85)))),
  },
  // Both walk to the place of the other: once, and there and back.
  crossing: {
    ...{ frames: 110, cuts: [], hides: true },
    at: (frame) => {
      const way = 300 * progress(frame, 35, 75);
      return shot(0, person('B', 470 - way), person('A', 170 + way));
    },
  },
  'crossing twice': {
    ...{ frames: 150, cuts: [], hides: true },
    at: (frame) => {
      const way = 340 * (progress(frame, 25, 60) - progress(frame, 90, 125));
      return shot(1, person('A', 150 + way, 70), person('B', 490 - way, 85));
    },
  },
  'one leaves': {
    ...{ frames: 110, cuts: [] },
    at: (frame) => shot(0, person('A', 170), person('B', 470 + 330 * progress(frame, 25, 45))),
  },
  'return on the other side': {
    ...{ frames: 150, cuts: [] },
    at: (frame) => {
      const x = frame < 70 ? 530 + 280 * progress(frame, 25, 45) : -150 + 270 * progress(frame, 80, 100);
      return shot(0, person('A', 340), person('B', x));
    },
  },
  'third, bigger person': {
    ...{ frames: 120, cuts: [], any: true },
    at: (frame) =>
      shot(
        0,
        person('A', 110, 60),
        person('B', 300, 60),
        person('C', 840 - 330 * progress(frame, 30, 50), 115, 180),
      ),
  },
  nobody: edited([30, TWO_SHOT], [40, shot(5)], [30, MOVED]),
  'stacked source': edited([80, shot(0, person('A', 320, 50, 75), person('B', 325, 50, 245))]),
  'stacked source and panes': {
    ...edited([80, shot(0, person('A', 325, 50, 75), person('B', 320, 50, 245))]),
    recipe: { layout: 'stacked' },
  },
  'grid of three': { ...edited([60, THREE]), recipe: GRID },
  'grid of three, cuts': { ...edited([30, THREE], [30, MOVED_THREE], [30, REVERSED_THREE]), recipe: GRID },
  'grid of four': { ...edited([60, FOUR]), recipe: GRID },
  'grid of four, video call': { ...edited([60, CALL]), recipe: GRID },
  'grid, the fourth comes and leaves': {
    ...{ frames: 150, cuts: [], recipe: GRID },
    at: (frame) => {
      const x = 720 - 140 * (progress(frame, 30, 50) - progress(frame, 90, 110));
      // Three quarters of the face, from which on it counts (see compose.mjs), are in the image from frame 43 on.
      const here = frame >= 43 && frame < 115;
      const people = [person('A', 80, 55), person('D', 240, 55), person('B', 400, 55)];
      return showing(here ? ['A', 'D', 'B', 'E'] : ['A', 'D', 'B'], shot(1, ...people, person('E', x, 55)));
    },
  },
  'grid of two': { ...edited([50, TWO_SHOT], [30, ONLY_A]), recipe: GRID },
  /** Only with `--profile`. */
  'full profile': edited([100, showing(['A', 'F'], shot(0, person('A', 170), person('F', 470)))]),
  'unequal heads': edited([80, shot(0, person('A', 180, 110), person('B', 500, 45))]),
};
