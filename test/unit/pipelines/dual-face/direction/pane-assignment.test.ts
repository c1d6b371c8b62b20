import { expect, test } from 'vitest';
import {
  NO_ASSIGNMENT,
  assignPanes,
  SWITCH_FRAMES,
} from '../../../../../src/pipelines/dual-face/direction/pane-assignment.ts';
import type {
  AssignmentOptions,
  PaneAssignment,
} from '../../../../../src/pipelines/dual-face/direction/pane-assignment.ts';
import type { Person } from '../../../../../src/pipelines/dual-face/identity/person.ts';
import { stablePerson } from '../../../../helpers/people.ts';

const OPTIONS: Omit<AssignmentOptions, 'frame'> = {
  ...{ isSettling: false, maxMissingFrames: 90, layout: 'side-by-side', showsAlone: false },
  geometry: { width: 1000, height: 600, aspect: 8 / 9 },
};

function after(
  before: PaneAssignment,
  people: readonly Person[],
  frames = 1,
  change: Partial<AssignmentOptions> = {},
): PaneAssignment {
  let assignment = before;
  for (let frame = 100; frame < 100 + frames; frame++) {
    const seen = people.map((each) => (each.trackId === null ? each : { ...each, seenFrame: frame }));
    assignment = assignPanes(assignment, seen, { ...OPTIONS, frame, ...change });
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

test('an unstable person gets no pane', () => {
  const people = [stablePerson(1, 200), stablePerson(2, 700, { confidentFrames: 3 })];
  expect(after(NO_ASSIGNMENT, people)).toMatchObject({ left: 1, right: null });
});

test('with `stacked`, the upper one of two people gets the upper pane', () => {
  const below = stablePerson(1, 480, { box: { x: 440, y: 420, width: 80, height: 100 } });
  const above = stablePerson(2, 500, { box: { x: 460, y: 80, width: 80, height: 100 } });
  expect(after(NO_ASSIGNMENT, [below, above], 1, { layout: 'stacked' })).toMatchObject({ left: 2, right: 1 });
  expect(after(NO_ASSIGNMENT, [below, above])).toMatchObject({ left: 1, right: 2 });
});

test('people who change sides keep their panes, in the same shot and in the next one', () => {
  const first = after(NO_ASSIGNMENT, [stablePerson(1, 300), stablePerson(2, 700)]);
  const swapped = [stablePerson(1, 700), stablePerson(2, 300)];
  expect(after(first, swapped, 500)).toMatchObject({ left: 1, right: 2 });
  const cut = { ...NO_ASSIGNMENT, sides: first.sides };
  expect(after(cut, swapped, 1, { isSettling: true })).toMatchObject({ left: 1, right: 2 });
  const alone = stablePerson(2, 300);
  expect(after(cut, [alone], 1, { isSettling: true, showsAlone: true })).toMatchObject({
    left: null,
    right: 2,
  });
});

test('a person who has only been alone, and so in no visible pane, makes room for another one', () => {
  const alone = after(NO_ASSIGNMENT, [stablePerson(1, 400)], 50);
  expect(alone).toMatchObject({ left: 1, sides: {} });
  expect(after(alone, [stablePerson(1, 400), stablePerson(2, 200)])).toMatchObject({ left: 2, right: 1 });
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
