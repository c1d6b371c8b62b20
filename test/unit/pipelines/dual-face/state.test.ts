import { serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { standAt } from '../../../../src/pipelines/dual-face/camera/camera.ts';
import { FIRST_STATE, readState, writeState } from '../../../../src/pipelines/dual-face/state.ts';
import { someone } from '../../../helpers/people.ts';

test('a state survives writing and reading, embeddings included, and is small', () => {
  const gallery = [1, 2, 3].map((seed) => Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * seed)));
  const state = {
    ...FIRST_STATE,
    frames: 900,
    cut: { cells: new Uint8Array(576).fill(7), usual: 1.25 },
    identity: {
      ...FIRST_STATE.identity,
      people: [someone(1, 100, { gallery }), someone(2, 500, { gallery })],
    },
  };
  const bytes = writeState(state);
  expect(readState(bytes)).toMatchObject(state);
  expect(bytes.length).toBeLessThan(6000);
});

test('a state of an unknown version is rejected with advice', () => {
  const bytes = serialize({ ...FIRST_STATE, version: 99 });
  expect(() => readState(bytes)).toThrow(/another version of Framekiln.*cancel and retry/);
});

test('a state of version 1, which called the target of a camera its wish, is read', () => {
  const axis = (position: number) => ({
    position,
    velocity: -3.5,
    wish: position + 12.25,
    isMoving: true,
  });
  const stored = {
    version: 1,
    frames: 30,
    cut: { cells: new Uint8Array(576).fill(7), usual: 1.25 },
    tracker: { frame: 30, nextId: 2, tracks: [] },
    identity: { ...FIRST_STATE.identity, nextId: 2, people: [someone(1, 100)] },
    direction: {
      cast: { left: 1, right: null, crossedFrames: 2, outweighedFrames: 0 },
      left: {
        camera: { x: axis(400), y: axis(300), zoom: axis(6) },
        unseenFrames: 0,
        trackId: 1,
      },
      right: { camera: null, unseenFrames: null, trackId: null },
      whole: 0.25,
      counts: { shown: 30, 'never there': 30 },
      sideChanges: 0,
      cuts: 0,
    },
  };
  const state = readState(serialize(stored));
  const converted = (position: number) => ({
    position,
    velocity: -3.5,
    target: position + 12.25,
    isMoving: true,
  });
  expect(state.direction).toEqual({
    ...stored.direction,
    left: {
      ...stored.direction.left,
      camera: { x: converted(400), y: converted(300), zoom: converted(6) },
    },
  });
  expect(state).toMatchObject({ frames: 30, cut: stored.cut, identity: stored.identity });
  const still = { centerX: 400, centerY: 300, height: 600 };
  const written = { ...state, direction: { ...state.direction, right: { ...state.direction.left } } };
  expect(readState(writeState(written)).direction).toEqual(written.direction);
  expect(Object.keys(standAt(still).x).sort()).toEqual(Object.keys(converted(1)).sort());
});
