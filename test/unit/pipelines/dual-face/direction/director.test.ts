import { expect, test } from 'vitest';
import { advanceState } from '../../../../../src/pipelines/dual-face/advance-state.ts';
import { viewOfFace, wideView, type View } from '../../../../../src/pipelines/dual-face/camera/view.ts';
import type { Face } from '../../../../../src/pipelines/dual-face/detection/face.ts';
import type {
  DirectionState,
  DirectorOptions,
  ScreenViews,
} from '../../../../../src/pipelines/dual-face/direction/director.ts';
import { PANE_RULES } from '../../../../../src/pipelines/dual-face/direction/pane-rules.ts';
import { FIRST_STATE } from '../../../../../src/pipelines/dual-face/state.ts';

/* Detections go through the real tracker and the real identification, because only those know what people look like. */

const geometry = { width: 1280, height: 720, aspect: 960 / 1080 };
const RATE = 30;
/** Frames without a detection for which a person still counts as visible. */
const COASTED = 4;

/** A face 100 px high whose centre is at `x`. @param who number of the person; null: the face cannot be compared */
interface Seen {
  readonly who: number | null;
  readonly x: number;
}

function boxAt(x: number): Face['box'] {
  return { x: x - 40, y: 300, width: 80, height: 100 };
}

class DirectedVideo {
  readonly views: ScreenViews[] = [];
  #state = FIRST_STATE;
  readonly #recipe: DirectorOptions['recipe'];

  constructor(recipe: Partial<DirectorOptions['recipe']> = {}) {
    this.#recipe = { layout: 'side-by-side', missing: 'wide', ...recipe };
  }

  /** Directs frames with the same faces, the first of which may be the first one after a cut; returns the last views. */
  async run(frames: number, seen: readonly Seen[], isCut = false): Promise<ScreenViews> {
    const options = { geometry, framesPerSecond: RATE, recipe: this.#recipe };
    const people = new Map(
      seen.map(({ who, x }): [Face, number | null] => [{ box: boxAt(x), score: 0.9, landmarks: [] }, who]),
    );
    const embed = (face: Face): Promise<Float32Array | null> => {
      const who = people.get(face) ?? null;
      return Promise.resolve(
        who === null ? null : Float32Array.from({ length: 128 }, (_, i) => Number(i === who)),
      );
    };
    for (let i = 0; i < frames; i++) {
      const isNewShot = this.views.length === 0 || (isCut && i === 0);
      const analysed = { frameCount: 1, faces: [...people.keys()], isNewShot, embed };
      const { state, views } = await advanceState(this.#state, analysed, options);
      this.#state = state;
      this.views.push(...views);
    }
    return this.views.at(-1) ?? expect.fail('no frames');
  }

  get direction(): DirectionState {
    return this.#state.direction;
  }
}

/** Equal up to rounding, because cameras store the logarithm of the height. */
function near({ centerX, centerY, height }: View): unknown {
  const [x, y, h] = [centerX, centerY, height].map((each) => expect.closeTo(each, 3) as unknown);
  return { centerX: x, centerY: y, height: h };
}

function faceAt(x: number): unknown {
  return near(viewOfFace(boxAt(x), geometry));
}

const left: Seen = { who: 1, x: 300 };
const right: Seen = { who: 2, x: 900 };

test('two people: each has a pane at once, without camera movement', async () => {
  const video = new DirectedVideo();
  await video.run(90, [left, right]);
  for (const views of [video.views[0], video.views[89]])
    expect(views).toEqual({ left: faceAt(300), right: faceAt(900), whole: 0 });
  expect(video.direction.counts).toEqual({ shown: 180 });
});

test('after a person is lost, the pane holds, and then the whole image fades in until they are back', async () => {
  const video = new DirectedVideo();
  const before = await video.run(30, [left, right]);
  expect(await video.run(COASTED + RATE - 1, [left])).toEqual(before);
  const fading = [];
  for (let i = 0; i < 12; i++) fading.push((await video.run(1, [left])).whole);
  expect(fading[0]).toBeCloseTo(1 / 12);
  expect(fading).toEqual([...fading].sort((a, b) => a - b));
  expect(fading.at(-1)).toBeCloseTo(1);
  await video.run(60, [left]);
  expect(video.direction.counts.alone).toBe(72);
  expect(await video.run(2, [left, { who: 2, x: 800 }])).toEqual({
    left: faceAt(300),
    right: faceAt(800),
    whole: 0,
  });
});

test('with `single: own-side`, the pane of a lost person zooms out instead', async () => {
  const video = new DirectedVideo({ single: 'own-side' });
  const before = await video.run(30, [left, right]);
  expect(await video.run(COASTED + RATE - 1, [left])).toEqual(before);
  const opening = (await video.run(15, [left])).right?.height;
  expect(opening).toBeGreaterThan((before.right?.height ?? 0) + 10);
  expect(opening).toBeLessThan(wideView(geometry).height - 10);
  const open = await video.run(120, [left]);
  expect(open.right?.height).toBeGreaterThan(wideView(geometry).height * 0.99);
  expect(open).toMatchObject({ left: before.left, whole: 0 });
  expect(video.direction.counts).toMatchObject({ 'just lost': 29, lost: 45, 'long gone': 90 });
});

test('with both people missing, the panes fade to the whole image, and back', async () => {
  const video = new DirectedVideo();
  const before = await video.run(30, [left, right]);
  expect(await video.run(COASTED + RATE - 1, [])).toEqual(before);
  expect((await video.run(1, [])).whole).toBeCloseTo(1 / 12);
  expect((await video.run(60, [])).whole).toBe(1);
  expect(video.direction.counts.nobody).toBe(61);
  expect(await video.run(2, [left, right])).toEqual(before);
});

test('with `missing: black` and `single: own-side`, empty panes are black', async () => {
  const video = new DirectedVideo({ missing: 'black', single: 'own-side' });
  expect(await video.run(1, [left])).toEqual({ left: faceAt(300), right: null, whole: 0 });
  expect(await video.run(200, [])).toEqual({ left: null, right: null, whole: 0 });
});

test('after a cut to unknown people, both are shown in its first frame', async () => {
  const video = new DirectedVideo();
  await video.run(30, [left, right]);
  const others = [
    { who: 3, x: 640 },
    { who: 4, x: 200 },
  ];
  expect(await video.run(1, others, true)).toEqual({ left: faceAt(200), right: faceAt(640), whole: 0 });
  expect(await video.run(30, others)).toEqual({ left: faceAt(200), right: faceAt(640), whole: 0 });
  expect(video.direction.counts).toEqual({ shown: 122 });
  expect(video.direction.cuts).toBe(1);
  expect(await video.run(1, [], true)).toMatchObject({ whole: 1 });
});

test('after a cut, people keep the panes that they had first in the video', async () => {
  const video = new DirectedVideo();
  await video.run(30, [left, right]);
  await video.run(30, [{ who: 3, x: 640 }], true);
  const views = await video.run(
    1,
    [
      { who: 2, x: 250 },
      { who: 1, x: 1000 },
    ],
    true,
  );
  expect(views).toEqual({ left: faceAt(1000), right: faceAt(250), whole: 0 });
});

test.each([undefined, 'full'] as const)(
  'one person alone is shown as the whole image (single: %s)',
  async (single) => {
    const video = new DirectedVideo(single === undefined ? {} : { single });
    expect(await video.run(1, [left])).toMatchObject({ whole: 1 });
    await video.run(30, [left, right], true);
    await video.run(1, [{ who: 2, x: 500 }], true);
    await video.run(60, [{ who: 2, x: 500 }]);
    expect(video.views.map(({ whole }) => whole)).toEqual([
      1,
      ...Array<number>(30).fill(0),
      ...Array<number>(61).fill(1),
    ]);
  },
);

test('with `single: own-side`, one person alone has the pane that they had first', async () => {
  const video = new DirectedVideo({ single: 'own-side' });
  await video.run(30, [left, right]);
  const views = await video.run(1, [{ who: 2, x: 500 }], true);
  expect(views).toEqual({ left: near(wideView(geometry)), right: faceAt(500), whole: 0 });
});

test('a third face is counted but changes nothing', async () => {
  const video = new DirectedVideo();
  const views = await video.run(30, [left, right]);
  expect(await video.run(30, [left, right, { who: 3, x: 600 }])).toEqual(views);
  expect(video.direction.counts['three or more']).toBe(20);
});

test('the camera does not jump when a new person turns out to be a known one', async () => {
  const video = new DirectedVideo();
  await video.run(30, [left, right]);
  const alone = (who: number | null): Seen[] => [left, { who, x: 1100 }];
  await video.run(60, [left]);
  const unknown = await video.run(90, alone(null));
  const before = video.direction.assignment.right;
  expect(await video.run(40, alone(2))).toEqual(unknown);
  expect([before, video.direction.assignment.right]).toEqual([3, 2]);
  expect(unknown).toEqual({ left: faceAt(300), right: faceAt(1100), whole: 0 });
});

test('the time ranges of the pane rules have no gaps', () => {
  const lost = PANE_RULES.filter(({ situation }) => /lost|gone/.test(situation));
  expect(lost.map(({ fromSeconds }) => fromSeconds)).toEqual([
    0,
    ...lost.slice(0, -1).map(({ toSeconds }) => toSeconds),
  ]);
  expect(lost.at(-1)?.toSeconds).toBe(Infinity);
});
