import { expect, test } from 'vitest';
import { FIRST_STATE, readState, writeState } from '../../../../src/pipelines/dual-face/state.ts';
import { someone } from '../../../helpers/people.ts';

test('a state comes back as it was, with its embeddings, and is small', () => {
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

test('a state of another version is rejected in a sentence', () => {
  const bytes = writeState({ ...FIRST_STATE, version: 99 } as typeof FIRST_STATE);
  expect(() => readState(bytes)).toThrow(/another version of Framekiln.*cancel and retry/);
});
