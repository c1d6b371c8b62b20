import { expect, test } from 'vitest';
import {
  identify,
  FIRST_IDENTITIES,
  type IdentityState,
} from '../../../../../src/pipelines/dual-face/identity/identify.ts';
import type { TrackedFace } from '../../../../../src/pipelines/dual-face/tracking/byte-tracker.ts';

/** The embedding of a person, by a number that stands for their face. */
function embedding(face: number): Float32Array {
  return Float32Array.from({ length: 128 }, (_, i) => (i === face ? 1 : 0));
}

function face(track: number, x: number, change: Partial<TrackedFace> = {}): TrackedFace {
  return { id: track, box: { x, y: 100, width: 80, height: 100 }, score: 0.9, isSeen: true, ...change };
}

class Room {
  state: IdentityState = FIRST_IDENTITIES;
  #frame = 0;

  /** @param whose the face that a track really shows; null: faces cannot be compared */
  async run(
    frames: number,
    faces: readonly TrackedFace[],
    whose: ((track: number) => number) | null,
  ): Promise<void> {
    for (let i = 0; i < frames; i++) {
      const look = ({ id }: TrackedFace): Promise<Float32Array | null> =>
        Promise.resolve(whose === null ? null : embedding(whose(id)));
      this.state = await identify(this.state, faces, ++this.#frame, look);
    }
  }

  get shown(): [person: number, track: number][] {
    return this.state.people.flatMap(({ id, trackId }) =>
      trackId === null ? [] : [[id, trackId] as [number, number]],
    );
  }
}

test('faces without doubt are learnt three times each and never looked at again', async () => {
  const room = new Room();
  await room.run(500, [face(1, 100), face(2, 600)], (track) => track);
  expect(room.shown).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(room.state.counts).toEqual({
    comparisons: 0,
    enrolments: 6,
    corrections: 0,
    framesWithEmbeddings: 3,
  });
});

test('two tracks that changed their people while they crossed are put right', async () => {
  const room = new Room();
  await room.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await room.run(10, [face(1, 340), face(2, 360)], (track) => track);
  await room.run(10, [face(1, 600), face(2, 100)], (track) => 3 - track);
  expect(room.shown).toEqual([
    [1, 2],
    [2, 1],
  ]);
  expect(room.state.counts.corrections).toBe(1);
});

test('two tracks that kept their people are left alone after a look', async () => {
  const room = new Room();
  await room.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await room.run(10, [face(1, 340), face(2, 360)], (track) => track);
  await room.run(10, [face(1, 600), face(2, 100)], (track) => track);
  expect(room.shown).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(room.state.counts).toMatchObject({ corrections: 0, comparisons: 2 });
});

test('somebody who comes back anywhere gets the old identity; a stranger does not', async () => {
  const room = new Room();
  await room.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await room.run(200, [face(1, 100)], (track) => track);
  await room.run(20, [face(1, 100), face(5, 1000)], () => 9);
  expect(room.shown).toContainEqual([3, 5]);
  await room.run(20, [face(1, 100), face(6, 900)], (track) => (track === 6 ? 2 : 9));
  expect(room.shown).toContainEqual([2, 6]);
});

test('without embeddings somebody is found again where they were lost, not elsewhere', async () => {
  const near = new Room();
  await near.run(60, [face(1, 100), face(2, 600)], null);
  await near.run(40, [face(1, 100)], null);
  await near.run(1, [face(1, 100), face(5, 660)], null);
  expect(near.shown).toContainEqual([2, 5]);
  const far = new Room();
  await far.run(60, [face(1, 100), face(2, 600)], null);
  await far.run(40, [face(1, 100)], null);
  await far.run(1, [face(1, 100), face(5, 1100)], null);
  expect(far.shown).toContainEqual([3, 5]);
});

test('false detections and old acquaintances are forgotten', async () => {
  const room = new Room();
  for (let track = 1; track < 50; track++) await room.run(2, [face(track, track * 20)], null);
  expect(room.state.people.length).toBeLessThanOrEqual(8);
  await room.run(40, [face(99, 100)], null);
  expect(room.state.people.length).toBe(1);
});
