import { expect, test } from 'vitest';
import { StoppedError } from '../../../../../src/domain/errors.ts';
import { FIRST_ANALYSIS } from '../../../../../src/pipelines/dual-face/analysis/analysis-state.ts';
import { followFaces } from '../../../../../src/pipelines/dual-face/analysis/analyse-frames.ts';
import type { Observation } from '../../../../../src/pipelines/dual-face/analysis/observation.ts';
import { viewOfCrop } from '../../../../../src/pipelines/dual-face/direction/corrections.ts';
import { decisionsOf } from '../../../../../src/pipelines/dual-face/direction/decisions.ts';
import { countSituations } from '../../../../../src/pipelines/dual-face/direction/describe-direction.ts';
import {
  directVideo,
  type DirectedVideo,
} from '../../../../../src/pipelines/dual-face/direction/director.ts';
import type { DirectorOptions } from '../../../../../src/pipelines/dual-face/direction/director-options.ts';

/* Detections go through the real tracker and the real identification, because only those know what people look like. */

const geometry = { width: 1280, height: 720, aspect: 960 / 1080 };
const geometryOf = (): typeof geometry => geometry;
const RATE = 25;

/** A face whose centre is at `x`. @param who number of the person; null: the face cannot be compared */
interface Seen {
  readonly who: number | null;
  readonly x: number;
  readonly height?: number;
}

/** Frames with the same faces, or with those of a function; the first is the first one after a cut, if `isCut`. */
interface Part {
  readonly frames: number;
  readonly seen: readonly Seen[] | ((share: number) => readonly Seen[]);
  readonly isCut?: boolean;
}

async function direct(
  parts: readonly Part[],
  recipe: Partial<DirectorOptions['recipe']> = {},
  qualityAt: ((frame: number) => number) | null = null,
): Promise<DirectedVideo> {
  let state = FIRST_ANALYSIS;
  const observations: Observation[] = [];
  for (const { frames, seen, isCut = false } of parts) {
    for (let i = 0; i < frames; i++) {
      const isNewShot = observations.length === 0 || (isCut && i === 0);
      const people = (typeof seen === 'function' ? seen(i / frames) : seen).map(
        ({ who, x, height = 100 }) => ({
          who,
          face: {
            box: { x: x - 0.4 * height, y: 350 - height / 2, width: 0.8 * height, height },
            score: 0.9,
          },
        }),
      );
      const followed = await followFaces(
        state,
        people.map(({ face }) => face),
        isNewShot,
        ({ x }) => {
          const who = people.find(({ face }) => face.box.x === x)?.who ?? null;
          return Promise.resolve(
            who === null ? null : Float32Array.from({ length: 128 }, (_, at) => Number(at === who)),
          );
        },
      );
      state = followed.state;
      const quality = qualityAt?.(observations.length);
      const faces = followed.faces.map((face) => ({
        ...face,
        ...(quality === undefined ? {} : { quality }),
      }));
      observations.push({ isNewShot, dissolveFrames: 0, faces });
    }
  }
  return directVideo(observations, {
    geometryOf,
    framesPerSecond: RATE,
    recipe: { layout: 'side-by-side', single: 'full', missing: 'wide', detectEvery: 1, ...recipe },
  });
}

const left: Seen = { who: 1, x: 300 };
const right: Seen = { who: 2, x: 900 };

/** The horizontal centres of the panes in a frame; null where the whole image is shown. */
function centres({ views }: DirectedVideo, frame: number): (number | null)[] | null {
  const { panes, whole } = views[frame] ?? expect.fail(`no frame ${frame}`);
  if (whole === 1) return null;
  return panes.map((view) => (view === null ? null : Math.round(view.centerX)));
}

test('two people: each has a pane from the first frame on, without camera movement', async () => {
  const video = await direct([{ frames: 90, seen: [left, right] }]);
  for (const frame of [0, 45, 89]) expect(centres(video, frame)).toEqual([300, 900]);
  expect(countSituations(video)).toEqual({ shown: 180 });
});

test('somebody who looks away for a moment stays in the pane', async () => {
  const video = await direct([
    { frames: 50, seen: [left, right] },
    { frames: 50, seen: [left] },
    { frames: 50, seen: [left, { ...right, x: 920 }] },
  ]);
  for (let frame = 0; frame < 150; frame++) expect(centres(video, frame)).not.toBeNull();
  expect(countSituations(video)).toMatchObject({ away: 50 });
});

test('after somebody has left, the whole image fades in; whoever comes back has a pane in the first frame', async () => {
  const video = await direct([
    { frames: 50, seen: [left, right] },
    { frames: 100, seen: [left] },
    { frames: 50, seen: [left, { ...right, x: 820 }] },
  ]);
  expect(centres(video, 62)).toEqual([300, 900]);
  const fading = video.views.slice(63, 73).map(({ whole }) => whole);
  expect(fading).toEqual([...fading].sort((a, b) => a - b));
  expect(fading[0]).toBeCloseTo(0.1);
  expect(centres(video, 80)).toBeNull();
  expect(centres(video, 149)).toBeNull();
  expect(centres(video, 150)).toEqual([300, 820]);
});

test('with `single: own-side`, the pane of somebody who has left is empty, so that nobody is shown twice', async () => {
  const video = await direct(
    [
      { frames: 50, seen: [left, right] },
      { frames: 100, seen: [left] },
    ],
    { single: 'own-side' },
  );
  expect(centres(video, 49)).toEqual([300, 900]);
  for (const frame of [63, 149]) expect(centres(video, frame)).toEqual([300, null]);
});

test('with `single: own-side`, the whole image fades in after the only person has left, as after one of two', async () => {
  const video = await direct(
    [
      { frames: 60, seen: [left] },
      { frames: 100, seen: [] },
    ],
    { single: 'own-side' },
  );
  expect(centres(video, 71)).toEqual([300, null]);
  const fading = video.views.slice(71, 83).map(({ whole }) => Number(whole.toFixed(2)));
  expect(fading).toEqual([0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  expect(centres(video, 75)).toEqual([300, null]);
});

test.each([12, 13, 14, 15])(
  'with `single: own-side`, who comes %i frames after the other was last seen has the other pane',
  async (frames) => {
    const video = await direct(
      [
        { frames: 60, seen: [left] },
        { frames, seen: [] },
        { frames: 60, seen: [right] },
      ],
      { single: 'own-side' },
    );
    expect(centres(video, 30)).toEqual([300, null]);
    for (const frame of [75, 100, 119]) expect(centres(video, frame), String(frame)).toEqual([null, 900]);
  },
);

test('people keep their panes at a cut to the reverse angle, and a single person is shown as the whole image', async () => {
  const video = await direct([
    { frames: 40, seen: [left, right] },
    { frames: 40, seen: [{ who: 2, x: 640 }], isCut: true },
    {
      frames: 40,
      seen: [
        { who: 2, x: 300 },
        { who: 1, x: 900 },
      ],
      isCut: true,
    },
  ]);
  expect(centres(video, 40)).toBeNull();
  expect(centres(video, 79)).toBeNull();
  expect(centres(video, 80)).toEqual([900, 300]);
  expect(video.shots.map(({ from, to }) => [from, to])).toEqual([
    [0, 40],
    [40, 80],
    [80, 120],
  ]);
});

test('the decisions name shots, people, who is where, and the crops', async () => {
  const video = await direct([
    { frames: 40, seen: [left, right] },
    { frames: 40, seen: [{ who: 2, x: 640 }], isCut: true },
  ]);
  const crop = (x: number): object => ({ x: x - 133, y: 224, width: 267, height: 300 });
  const look = (frame: number, x: number): object => ({
    frame,
    crop: { x: x - 90, y: 260, width: 180, height: 180 },
  });
  expect(decisionsOf(video, geometryOf)).toEqual({
    situations: { shown: 80, alone: 40 },
    people: [
      { id: 1, firstFrame: 0, frames: 40, embeddings: 3, look: look(0, 300) },
      { id: 2, firstFrame: 0, frames: 80, embeddings: 6, look: look(0, 900) },
    ],
    shots: [
      {
        ...{ from: 0, to: 40, situations: { shown: 80 } },
        stretches: [
          {
            ...{ from: 0, to: 40, shows: 'panes', layout: 'side-by-side' },
            panes: [
              { person: 1, first: crop(300), last: crop(300) },
              { person: 2, first: crop(900), last: crop(900) },
            ],
          },
        ],
      },
      {
        ...{ from: 40, to: 80, situations: { alone: 40 } },
        stretches: [{ from: 40, to: 80, shows: 'alone', layout: 'side-by-side', panes: [] }],
      },
    ],
  });
});

test('while one person hides the other, the whole image is shown at once', async () => {
  const walk = (share: number): Seen[] => {
    const x = 300 + 600 * share;
    return x > 780 ? [{ who: 1, x }] : [{ who: 1, x }, right];
  };
  const video = await direct([
    { frames: 30, seen: [left, right] },
    { frames: 40, seen: walk },
    { frames: 20, seen: [{ who: 1, x: 900 }] },
    { frames: 40, seen: (share) => walk(1 - share) },
    { frames: 30, seen: [left, right] },
  ]);
  for (let frame = 64; frame < 95; frame++) expect(centres(video, frame), String(frame)).toBeNull();
  expect(centres(video, 150)).not.toBeNull();
});

test.each(['full', 'own-side'] as const)(
  'with `single: %s`, no pane shows the place that somebody has left behind the back of another person',
  async (single) => {
    // They meet in the middle; the face of 2 is not seen while they are nearer than 340 pixels.
    const cross = (share: number): Seen[] => {
      const [one, two] = [300 + 600 * share, 900 - 600 * share];
      return Math.abs(two - one) < 340
        ? [{ who: 1, x: one }]
        : [
            { who: 1, x: one },
            { who: 2, x: two },
          ];
    };
    const video = await direct(
      [
        { frames: 40, seen: [left, right] },
        { frames: 30, seen: cross },
        {
          frames: 40,
          seen: [
            { who: 1, x: 900 },
            { who: 2, x: 300 },
          ],
        },
      ],
      { single },
    );
    const isSeen = (frame: number): boolean => cross((frame - 40) / 30).length === 2;
    for (let frame = 40; frame < 70; frame++)
      expect(centres(video, frame) === null, String(frame)).toBe(!isSeen(frame));
  },
);

test('of three people the two most prominent ones are shown, without a change for a moment', async () => {
  const third: Seen = { who: 3, x: 600, height: 60 };
  const video = await direct([
    { frames: 60, seen: [left, third, right] },
    { frames: 20, seen: [left, third] },
    { frames: 60, seen: [left, third, right] },
  ]);
  for (const frame of [0, 70, 139]) expect(centres(video, frame)).toEqual([300, 900]);
  expect(countSituations(video)).toMatchObject({ 'three or more': 140 });
});

test('a false detection of a few frames does not get a pane', async () => {
  const video = await direct([
    { frames: 50, seen: [left] },
    { frames: 6, seen: [left, { who: null, x: 700 }] },
    { frames: 50, seen: [left] },
  ]);
  for (let frame = 0; frame < 106; frame++) expect(centres(video, frame)).toBeNull();
});

test('in stacked panes, the person who is further up is at the top', async () => {
  const seen: Seen[] = [
    { who: 1, x: 640 },
    { who: 2, x: 600 },
  ];
  let state = FIRST_ANALYSIS;
  const observations: Observation[] = [];
  for (let frame = 0; frame < 40; frame++) {
    const faces = seen.map(({ x }, i) => ({
      box: { x, y: 100 + 300 * i, width: 80, height: 100 },
      score: 0.9,
    }));
    const followed = await followFaces(state, faces, frame === 0, () => Promise.resolve(null));
    state = followed.state;
    observations.push({ isNewShot: frame === 0, dissolveFrames: 0, faces: followed.faces });
  }
  const recipe = { layout: 'stacked', single: 'full', missing: 'wide', detectEvery: 1 } as const;
  const video = await directVideo(observations, { geometryOf, framesPerSecond: RATE, recipe });
  expect(video.views[0]?.panes[0]?.centerY).toBeLessThan(video.views[0]?.panes[1]?.centerY ?? 0);
});

test('the director can be stopped before each shot', async () => {
  const observations = Array.from({ length: 100 }, (_, i) => ({
    ...{ isNewShot: i % 25 === 0, dissolveFrames: 0, faces: [] },
  }));
  const recipe = { layout: 'side-by-side', single: 'full', missing: 'wide', detectEvery: 1 } as const;
  let shots = 0;
  const directed = directVideo(observations, { geometryOf, framesPerSecond: RATE, recipe }, () => {
    shots++;
    return shots === 3 ? Promise.reject(new StoppedError('stopped')) : Promise.resolve();
  });
  await expect(directed).rejects.toThrow(StoppedError);
  expect(shots).toBe(3);
});

test('the thumbnail of a person shows the best look, inside the image', async () => {
  const seen = (x: number): Part => ({ frames: 30, seen: [{ who: 1, x }, right] });
  const { people } = decisionsOf(await direct([seen(40)], {}, (frame) => (frame === 25 ? 9 : 1)), geometryOf);
  expect(people[0]?.look).toEqual({ frame: 25, crop: { x: 0, y: 260, width: 180, height: 180 } });
});

const inRow = (...who: number[]): Seen[] =>
  who.map((each, i) => ({ who: each, x: 150 + 320 * i, height: 80 }));
const peopleIn = ({ shots }: DirectedVideo): (readonly (number | null)[])[] =>
  shots.flatMap(({ stretches }) => stretches.map(({ people }) => people));

test('a grid has a pane for each of three and four people, who keep their order at a cut', async () => {
  const video = await direct(
    [
      { frames: 30, seen: inRow(1, 2, 3) },
      { frames: 30, seen: inRow(3, 2, 1), isCut: true },
      { frames: 30, seen: inRow(1, 4, 2, 3), isCut: true },
    ],
    { layout: 'grid' },
  );
  expect(centres(video, 0)).toEqual([150, 470, 790]);
  expect(centres(video, 30)).toEqual([790, 470, 150]);
  expect(centres(video, 60)).toEqual([150, 470, 790, 1110]);
  expect(video.views[60]).toMatchObject({ layout: 'grid', whole: 0 });
});

test('in a grid, people who leave together leave at once, and the last one is shown as the whole image', async () => {
  const video = await direct(
    [
      { frames: 60, seen: inRow(1, 2, 3, 4) },
      { frames: 5, seen: inRow(1, 2, 3) },
      { frames: 80, seen: inRow(1, 2) },
      { frames: 80, seen: inRow(1) },
    ],
    { layout: 'grid' },
  );
  expect(peopleIn(video)).toEqual([[1, 2, 3, 4], [1, 2], []]);
});

test('panes come closer where they would show the head of a neighbour, all by the same factor', async () => {
  const xs = [300, 470, 640];
  const seen = xs.map((x, i) => ({ who: i + 1, x }));
  const { views } = await direct([{ frames: 40, seen }], { layout: 'grid' });
  const panes = views[20]?.panes ?? [];
  expect(new Set(panes.map((view) => view?.height.toFixed(3)))).toHaveProperty('size', 1);
  for (const [i, view] of panes.entries()) {
    const half = ((view?.height ?? 0) * geometry.aspect) / 2;
    for (const x of xs.filter((_, other) => other !== i))
      expect(Math.abs(x - (view?.centerX ?? 0)) - 40, `${i} shows ${x}`).toBeGreaterThan(half);
  }
  const apart = await direct([{ frames: 40, seen: [left, right] }]);
  expect(apart.views[20]?.panes[0]?.height).toBeCloseTo(300);
});

/** Three people: 1 and 3 have larger faces than 2. */
const three: Part = { frames: 100, seen: [left, { who: 3, x: 600, height: 60 }, right] };

test('the sidecar says who is shown, and in which pane', async () => {
  const video = await direct([three], { people: [3, 2] });
  expect(peopleIn(video)).toEqual([[3, 2]]);
  expect(centres(video, 50)).toEqual([900, 600]);
  const swapped = await direct([{ frames: 60, seen: [left, right] }], { people: [2, 1] });
  for (const frame of [0, 59]) expect(centres(swapped, frame)).toEqual([900, 300]);
  const one = await direct([three], { people: [2], single: 'own-side' });
  expect(centres(one, 50)?.[0]).toBe(600);
});

test('spans change the layout, the people, the crops or `single` of their frames, and of no others', async () => {
  const crops = [
    { x: 100, y: 100, width: 400, height: 200 },
    { x: 700, y: 50, width: 100, height: 300 },
  ];
  const spans = [
    { from: 10, to: 20, layout: 'whole' },
    { from: 20, to: 30, crops },
    { from: 40, to: 50, layout: 'grid' },
    { from: 60, to: 70, people: [3, 1] },
  ] as const;
  const parts = [three, { frames: 50, seen: [left], isCut: true }];
  const plain = await direct(parts);
  const video = await direct(parts, { spans: [...spans, { from: 120, to: 130, single: 'own-side' }] });
  const at = (frame: number): unknown => video.views[frame];
  for (const frame of [0, 9, 30, 39, 50, 59, 70, 99, 100, 119, 130, 149])
    expect(at(frame), String(frame)).toEqual(plain.views[frame]);
  expect(at(15)).toMatchObject({ whole: 1 });
  expect(at(25)).toMatchObject({ whole: 0, panes: [{ height: 450 }, { height: 300 }] });
  expect(centres(video, 25)).toEqual([300, 750]);
  expect(at(45)).toMatchObject({ layout: 'grid', panes: { length: 3 } });
  expect(centres(video, 65)).toEqual([900, 300]);
  expect(centres(plain, 125)).toBeNull();
  expect(centres(video, 125)?.[0]).toBe(300);
  const { shots } = decisionsOf(video, geometryOf);
  expect(shots).toHaveLength(2);
  expect(shots[0]?.stretches.map(({ shows, corrected = false }) => [shows, corrected])).toEqual([
    ['panes', false],
    ['whole', true],
    ['crop', true],
    ['panes', false],
    ['panes', true],
    ['panes', false],
    ['panes', true],
    ['panes', false],
  ]);
  expect(shots[0]?.stretches[2]?.panes[1]).toMatchObject({ person: null, first: { y: 50, height: 300 } });
});

test('somebody who looks away at the end of a span keeps the pane outside of it', async () => {
  const parts: Part[] = [
    { frames: 50, seen: [left, right] },
    { frames: 60, seen: [left] },
    { frames: 50, seen: [left, right] },
  ];
  const spans = [{ from: 78, to: 80, layout: 'whole' }] as const;
  const video = await direct(parts, { spans });
  for (const frame of [49, 70, 77, 80, 100, 110])
    expect(centres(video, frame), String(frame)).toEqual([300, 900]);
  expect(centres(video, 79)).toBeNull();
});

test.each([
  [
    { x: 0, y: 20, width: 400, height: 200 },
    { centerX: 200, centerY: 225, height: 450 },
  ],
  [
    { x: 1200, y: 620, width: 80, height: 100 },
    { centerX: 1235.6, centerY: 670, height: 100 },
  ],
  [
    { x: -100, y: 300, width: 400, height: 450 },
    { centerX: 100, centerY: 525, height: 450 },
  ],
])('the view of a crop goes beyond the image only where the crop does: %j', (crop, view) => {
  const found = viewOfCrop(crop, geometry);
  for (const [key, value] of Object.entries(view))
    expect(found[key as keyof typeof view], key).toBeCloseTo(value, 1);
});

test.each([
  [{ people: [1, 7] }, 'there is no person 7, as 3 people were found; use the numbers in'],
  [{ spans: [{ from: 0, to: 9, people: [4] }] }, 'there is no person 4'],
  [
    { spans: [{ from: 90, to: 101, layout: 'grid' }] },
    'extends beyond the video, which has 100 frames; correct it',
  ],
  [
    { spans: [{ from: 0, to: 9, crops: [{ x: 1280, y: 0, width: 9, height: 9 }] }] },
    'has a crop outside the image of 1280x720 pixels',
  ],
] as const)('corrections that do not fit the video are rejected: %j', async (corrections, fault) => {
  const error = await direct([three], corrections).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'BAD_RECIPE' });
  expect(String(error)).toContain(fault);
});
