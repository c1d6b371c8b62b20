import { expect, test } from 'vitest';
import { EMPTY_CAST, recast, STAY_FRAMES } from '../../../../../src/pipelines/dual-face/direction/cast.ts';
import type { Cast } from '../../../../../src/pipelines/dual-face/direction/cast.ts';
import type { Person } from '../../../../../src/pipelines/dual-face/identity/person.ts';
import { someone } from '../../../../helpers/people.ts';

const WIDTH = 1000;

function after(before: Cast, people: readonly Person[], frames = 1, isNewShot = false): Cast {
  let cast = before;
  for (let frame = 100; frame < 100 + frames; frame++) {
    const seen = people.map((each) => (each.trackId === null ? each : { ...each, seenFrame: frame }));
    cast = recast(cast, seen, frame, WIDTH, { isNewShot, patience: 90 });
  }
  return cast;
}

const seated: Cast = { ...EMPTY_CAST, left: 1, right: 2 };

test('the left person has the left pane, whoever came first', () => {
  expect(after(EMPTY_CAST, [someone(1, 700), someone(2, 200)])).toMatchObject({ left: 2, right: 1 });
  expect(after(EMPTY_CAST, [someone(1, 300)])).toMatchObject({ left: 1, right: null });
  expect(after(EMPTY_CAST, [someone(1, 800)])).toMatchObject({ left: null, right: 1 });
});

test('somebody who is not stable yet is shown at the beginning of a shot only', () => {
  const people = [someone(1, 200), someone(2, 700, { confidentFrames: 3 })];
  expect(after(EMPTY_CAST, people)).toMatchObject({ left: 1, right: null });
  expect(after(EMPTY_CAST, people, 1, true)).toMatchObject({ left: 1, right: 2 });
});

test('sides change when the two have stood the other way round for long and clearly', () => {
  const swapped = [someone(1, 700), someone(2, 300)];
  expect(after(seated, swapped, STAY_FRAMES - 1)).toMatchObject({ left: 1, right: 2 });
  expect(after(seated, swapped, STAY_FRAMES)).toMatchObject({ left: 2, right: 1 });
  const hardly = [someone(1, 540), someone(2, 460)];
  expect(after(seated, hardly, 500)).toMatchObject({ left: 1, right: 2 });
});

test('a passing doubt begins the count anew', () => {
  const swapped = [someone(1, 700), someone(2, 300)];
  const nearly = after(seated, swapped, STAY_FRAMES - 1);
  const back = after(nearly, [someone(1, 300), someone(2, 700)]);
  expect(after(back, swapped, STAY_FRAMES - 1)).toMatchObject({ left: 1, right: 2 });
});

test('whoever leaves keeps the place, and a third person takes it only after a while', () => {
  const gone = someone(2, 700, { trackId: null, uncertainFrames: 9 });
  expect(after(seated, [someone(1, 300), gone], 1000)).toMatchObject({ left: 1, right: 2 });
  const third = someone(3, 500);
  expect(after(seated, [someone(1, 300), gone, third], 60)).toMatchObject({ left: 1, right: 2 });
  expect(after(seated, [someone(1, 300), gone, third], 150)).toMatchObject({ left: 1, right: 3 });
});

test('of several people the two largest are shown, and one of equal size does not push in', () => {
  const small = someone(3, 500, { height: 40 });
  expect(after(EMPTY_CAST, [small, someone(1, 300), someone(2, 700)])).toMatchObject({ left: 1, right: 2 });
  expect(after(seated, [someone(1, 300), someone(2, 700), someone(3, 500)], 500)).toMatchObject({
    left: 1,
    right: 2,
  });
  const large = someone(4, 500, { height: 170 });
  expect(after(seated, [someone(1, 300), someone(2, 700, { height: 90 }), large], STAY_FRAMES)).toMatchObject(
    { left: 1, right: 4 },
  );
});

test('a false detection that was taken at the beginning of a shot gives its place up', () => {
  const ghost = someone(2, 700, { confidentFrames: 1, uncertainFrames: 5 });
  expect(after(seated, [someone(1, 300), ghost])).toMatchObject({ left: 1, right: null });
});
