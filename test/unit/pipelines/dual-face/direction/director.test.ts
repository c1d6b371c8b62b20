import { expect, test } from 'vitest';
import { viewOfFace, wideView, type View } from '../../../../../src/pipelines/dual-face/camera/view.ts';
import {
  direct,
  FIRST_DIRECTION,
  type DirectionState,
  type Scene,
  type ScreenViews,
} from '../../../../../src/pipelines/dual-face/direction/director.ts';
import { PANE_RULES } from '../../../../../src/pipelines/dual-face/direction/pane-rules.ts';
import type { Person } from '../../../../../src/pipelines/dual-face/identity/person.ts';
import { stablePerson } from '../../../../helpers/people.ts';

const geometry = { width: 1280, height: 720, aspect: 960 / 1080 };
const RATE = 30;

class DirectedFrames {
  state: DirectionState = FIRST_DIRECTION;
  readonly shots: ScreenViews[] = [];
  readonly #missing: 'wide' | 'black';

  constructor(missing: 'wide' | 'black' = 'wide') {
    this.#missing = missing;
  }

  run(frames: number, people: readonly Person[], change: Partial<Scene> = {}): ScreenViews {
    let shot: ScreenViews = { left: null, right: null, whole: 0 };
    for (let i = 0; i < frames; i++) {
      const isNewShot = this.shots.length === 0;
      const scene = { frame: this.shots.length + 1, people, isNewShot, ...change };
      const options = { geometry, framesPerSecond: RATE, missing: this.#missing };
      ({ views: shot, state: this.state } = direct(this.state, scene, options));
      this.shots.push(shot);
    }
    return shot;
  }
}

/** Equal up to rounding, because cameras store the logarithm of the height. */
function near({ centerX, centerY, height }: View): unknown {
  const [x, y, h] = [centerX, centerY, height].map((each) => expect.closeTo(each, 6) as unknown);
  return { centerX: x, centerY: y, height: h };
}

const left = stablePerson(1, 300);
const right = stablePerson(2, 900);
const gone = stablePerson(2, 900, { trackId: null, uncertainFrames: 9 });

test('two people: each has a pane at once, without camera movement', () => {
  const play = new DirectedFrames();
  const shot = play.run(90, [left, right]);
  expect(shot).toEqual({
    left: near(viewOfFace(left.box, geometry)),
    right: near(viewOfFace(right.box, geometry)),
    whole: 0,
  });
  expect(play.shots[0]).toEqual(shot);
  expect(play.state.counts).toEqual({ shown: 180 });
});

test('after a person is lost, the pane holds and then zooms out to the whole image', () => {
  const play = new DirectedFrames();
  const before = play.run(10, [left, right]);
  expect(play.run(RATE - 1, [left, gone]).right).toEqual(before.right);
  const opening = play.run(15, [left, gone]).right;
  expect(opening?.height).toBeGreaterThan((before.right?.height ?? 0) + 10);
  expect(opening?.height).toBeLessThan(wideView(geometry).height - 10);
  expect(play.run(120, [left, gone]).right?.height).toBeGreaterThan(wideView(geometry).height * 0.99);
  expect(play.run(1, [left, gone]).left).toEqual(before.left);
  expect(play.state.counts).toMatchObject({ 'just lost': 29, lost: 45, 'long gone': 91 });
  const back = play.run(1, [left, right]).right;
  expect(back?.height).toBeGreaterThan((before.right?.height ?? 0) + 100);
  expect(play.run(120, [left, right]).right?.height).toBeCloseTo(before.right?.height ?? 0, -1);
});

test('with both people missing, the panes fade to the whole image, and back', () => {
  const play = new DirectedFrames();
  play.run(10, [left, right]);
  const goneToo = { ...left, trackId: null, uncertainFrames: 9 };
  play.run(2.5 * RATE - 1, [goneToo, gone]);
  const wholes = Array.from({ length: 13 }, () => play.run(1, [goneToo, gone]).whole);
  expect(wholes[0]).toBeCloseTo(1 / 12, 1);
  expect(wholes.at(-1)).toBe(1);
  expect(wholes.every((whole, i) => whole >= (wholes[i - 1] ?? 0))).toBe(true);
  const back = play.run(1, [left, right]);
  expect(back.whole).toBeLessThan(1);
  // The panes were not visible, so their cameras may jump.
  expect(back.left?.height).toBeCloseTo(viewOfFace(left.box, geometry).height);
  expect(play.state.counts.nobody).toBeGreaterThan(12);
});

test('with `missing: black`, empty panes are black', () => {
  const play = new DirectedFrames('black');
  expect(play.run(1, [left]).right).toBeNull();
  play.run(200, [{ ...left, trackId: null, uncertainFrames: 9 }]);
  expect(play.run(1, [])).toEqual({ left: null, right: null, whole: 0 });
});

test('after a cut, the panes change at once without waiting for people of the previous shot', () => {
  const play = new DirectedFrames();
  play.run(30, [left, right]);
  const [a, b] = [stablePerson(7, 640, { confidentFrames: 1 }), stablePerson(8, 200, { confidentFrames: 1 })];
  const shot = play.run(1, [gone, a, b], { isNewShot: true });
  expect(shot).toEqual({
    left: near(viewOfFace(b.box, geometry)),
    right: near(viewOfFace(a.box, geometry)),
    whole: 0,
  });
  expect(play.run(1, [], { isNewShot: true })).toMatchObject({ whole: 1 });
  expect(play.state.cuts).toBe(2);
});

test('a third face is counted but changes nothing', () => {
  const play = new DirectedFrames();
  const shot = play.run(1, [left, right]);
  expect(play.run(30, [left, right, stablePerson(3, 600)])).toEqual(shot);
  expect(play.state.counts['three or more']).toBe(30);
});

test('the camera does not jump when the same face gets another id', () => {
  const play = new DirectedFrames();
  play.run(5, [left, right]);
  const moved = stablePerson(9, 1000, { trackId: right.trackId });
  const shot = play.run(1, [left, moved]);
  expect(shot.right?.centerX).toBeLessThan(920);
});

test('the time ranges of the pane rules have no gaps', () => {
  const lost = PANE_RULES.filter(({ situation }) => /lost|gone/.test(situation));
  expect(lost.map(({ fromSeconds }) => fromSeconds)).toEqual([
    0,
    ...lost.slice(0, -1).map(({ toSeconds }) => toSeconds),
  ]);
  expect(lost.at(-1)?.toSeconds).toBe(Infinity);
});
