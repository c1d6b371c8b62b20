import { serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { NO_DISSOLVE } from '../../../../src/pipelines/dual-face/camera/dissolve-detector.ts';
import { FIRST_STATE, type DualFaceState } from '../../../../src/pipelines/dual-face/state.ts';
import { readState, writeState } from '../../../../src/pipelines/dual-face/stored-state.ts';
import { stablePerson } from '../../../helpers/people.ts';

test('a state with embeddings is small and read back unchanged', () => {
  const gallery = [1, 2, 3].map((seed) => Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * seed)));
  const state = {
    ...FIRST_STATE,
    frames: 900,
    cut: {
      ...{ cells: new Uint8Array(576).fill(7), averageDifference: 1.25 },
      dissolve: {
        recent: Array.from({ length: 9 }, () => new Uint8Array(144).fill(7)),
        frames: 2,
        pace: 1.5,
      },
    },
    identity: {
      ...FIRST_STATE.identity,
      people: [stablePerson(1, 100, { gallery }), stablePerson(2, 500, { gallery })],
    },
  };
  const bytes = writeState(state);
  expect(readState(bytes)).toMatchObject(state);
  expect(bytes.length).toBeLessThan(8000);
});

test('a state of an unknown version is rejected with advice', () => {
  const bytes = serialize({ ...FIRST_STATE, version: 99 });
  expect(() => readState(bytes)).toThrow(/another version of Framekiln.*cancel and retry/);
});

const axis = { position: 400, velocity: -3.5, isMoving: true };
const axisV2 = { ...axis, target: 412.25 };
const cells = new Uint8Array(576).fill(7);
const { check, ...person } = stablePerson(1, 100, { gallery: [new Float32Array(128).fill(0.5)] });
const checked = { ...person, id: 2 };
const emptyPane = { camera: null, unseenFrames: null, trackId: null };
const assignment = { left: 1, right: null, outweighedFrames: 0 };
const common = { frames: 30, tracker: { frame: 30, nextId: 2, tracks: [] } };
const direction = { whole: 0.25, counts: { shown: 30, 'never there': 30 }, cuts: 0 };
const identity = {
  nextId: 3,
  people: [
    { ...person, check: null },
    { ...checked, check: { reason: 'overlap', dueFrame: 31, comparisons: 2 } as const },
  ],
  counts: { comparisons: 5, enrolments: 6, corrections: 1, framesWithEmbeddings: 8 },
};
const panes = {
  left: { camera: { x: axisV2, y: axisV2, zoom: axisV2 }, unseenFrames: 0, trackId: 1 },
  right: emptyPane,
};
const expected: DualFaceState = {
  ...common,
  cut: { cells, averageDifference: 1.25, dissolve: NO_DISSOLVE },
  identity: { ...identity, shotFrame: 1 },
  direction: { ...direction, assignment: { ...assignment, sides: { 1: 'left' } }, ...panes },
};

test('a state of version 1, which has other names for the same fields as version 2, is read', () => {
  const axisV1 = { ...axis, wish: 412.25 };
  const state = readState(
    serialize({
      ...common,
      version: 1,
      cut: { cells, usual: 1.25 },
      identity: {
        nextId: 3,
        people: [
          { ...person, doubt: check },
          { ...checked, doubt: { reason: 'overlap', nextLook: 31, looks: 2 } },
        ],
        counts: { looks: 5, enrolments: 6, corrections: 1, framesWithLooks: 8 },
      },
      direction: {
        ...{ ...direction, sideChanges: 0, cast: { ...assignment, crossedFrames: 2 } },
        left: { ...panes.left, camera: { x: axisV1, y: axisV1, zoom: axisV1 } },
        right: emptyPane,
      },
    }),
  );
  expect(state).toEqual(expected);
  expect(readState(writeState(state))).toEqual(expected);
});

test('a state of version 2, which does not know dissolves and the first panes of people, is read', () => {
  const state = readState(
    serialize({
      ...common,
      version: 2,
      cut: { cells, averageDifference: 1.25 },
      identity,
      direction: { ...direction, ...panes, sideChanges: 0, assignment: { ...assignment, crossedFrames: 2 } },
    }),
  );
  expect(state).toEqual(expected);
  expect(readState(writeState(state))).toEqual(expected);
});
