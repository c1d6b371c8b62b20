import { expect, test } from 'vitest';
import {
  NO_ASSIGNMENT,
  assignPanes,
  SWITCH_FRAMES,
} from '../../../../../src/pipelines/dual-face/direction/pane-assignment.ts';
import type { PaneAssignment } from '../../../../../src/pipelines/dual-face/direction/pane-assignment.ts';
import type { Person } from '../../../../../src/pipelines/dual-face/identity/person.ts';
import { stablePerson } from '../../../../helpers/people.ts';

const WIDTH = 1000;

function after(
  before: PaneAssignment,
  people: readonly Person[],
  frames = 1,
  isNewShot = false,
): PaneAssignment {
  let assignment = before;
  for (let frame = 100; frame < 100 + frames; frame++) {
    const seen = people.map((each) => (each.trackId === null ? each : { ...each, seenFrame: frame }));
    assignment = assignPanes(assignment, seen, frame, WIDTH, { isNewShot, maxMissingFrames: 90 });
  }
  return assignment;
}

const assigned: PaneAssignment = { ...NO_ASSIGNMENT, left: 1, right: 2 };

test('the left person gets the left pane, regardless of the order of ids', () => {
  expect(after(NO_ASSIGNMENT, [stablePerson(1, 700), stablePerson(2, 200)])).toMatchObject({
    left: 2,
    right: 1,
  });
  expect(after(NO_ASSIGNMENT, [stablePerson(1, 300)])).toMatchObject({ left: 1, right: null });
  expect(after(NO_ASSIGNMENT, [stablePerson(1, 800)])).toMatchObject({ left: null, right: 1 });
});

test('an unstable person is shown only at the beginning of a shot', () => {
  const people = [stablePerson(1, 200), stablePerson(2, 700, { confidentFrames: 3 })];
  expect(after(NO_ASSIGNMENT, people)).toMatchObject({ left: 1, right: null });
  expect(after(NO_ASSIGNMENT, people, 1, true)).toMatchObject({ left: 1, right: 2 });
});

test('people swap panes after they have clearly been on opposite sides for long', () => {
  const swapped = [stablePerson(1, 700), stablePerson(2, 300)];
  expect(after(assigned, swapped, SWITCH_FRAMES - 1)).toMatchObject({ left: 1, right: 2 });
  expect(after(assigned, swapped, SWITCH_FRAMES)).toMatchObject({ left: 2, right: 1 });
  const hardly = [stablePerson(1, 540), stablePerson(2, 460)];
  expect(after(assigned, hardly, 500)).toMatchObject({ left: 1, right: 2 });
});

test('a return to the original sides restarts the count', () => {
  const swapped = [stablePerson(1, 700), stablePerson(2, 300)];
  const nearly = after(assigned, swapped, SWITCH_FRAMES - 1);
  const back = after(nearly, [stablePerson(1, 300), stablePerson(2, 700)]);
  expect(after(back, swapped, SWITCH_FRAMES - 1)).toMatchObject({ left: 1, right: 2 });
});

test('a missing person keeps the pane until a third person has waited long enough', () => {
  const gone = stablePerson(2, 700, { trackId: null, uncertainFrames: 9 });
  expect(after(assigned, [stablePerson(1, 300), gone], 1000)).toMatchObject({ left: 1, right: 2 });
  const third = stablePerson(3, 500);
  expect(after(assigned, [stablePerson(1, 300), gone, third], 60)).toMatchObject({ left: 1, right: 2 });
  expect(after(assigned, [stablePerson(1, 300), gone, third], 150)).toMatchObject({ left: 1, right: 3 });
});

test('the two largest people are shown, and another of equal size does not replace them', () => {
  const small = stablePerson(3, 500, { height: 40 });
  expect(after(NO_ASSIGNMENT, [small, stablePerson(1, 300), stablePerson(2, 700)])).toMatchObject({
    left: 1,
    right: 2,
  });
  expect(
    after(assigned, [stablePerson(1, 300), stablePerson(2, 700), stablePerson(3, 500)], 500),
  ).toMatchObject({
    left: 1,
    right: 2,
  });
  const large = stablePerson(4, 500, { height: 170 });
  expect(
    after(assigned, [stablePerson(1, 300), stablePerson(2, 700, { height: 90 }), large], SWITCH_FRAMES),
  ).toMatchObject({ left: 1, right: 4 });
});

test('a false detection from the beginning of a shot loses its pane', () => {
  const ghost = stablePerson(2, 700, { confidentFrames: 1, uncertainFrames: 5 });
  expect(after(assigned, [stablePerson(1, 300), ghost])).toMatchObject({ left: 1, right: null });
});
