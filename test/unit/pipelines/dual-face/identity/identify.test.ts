import { expect, test } from 'vitest';
import {
  identify,
  FIRST_IDENTITIES,
  type IdentityState,
} from '../../../../../src/pipelines/dual-face/identity/identify.ts';
import { isStable, isVisible } from '../../../../../src/pipelines/dual-face/identity/person.ts';
import type { TrackedFace } from '../../../../../src/pipelines/dual-face/tracking/byte-tracker.ts';

/** The embedding of the face with this number. */
function embedding(face: number): Float32Array {
  return Float32Array.from({ length: 128 }, (_, i) => (i === face ? 1 : 0));
}

function face(track: number, x: number, change: Partial<TrackedFace> = {}): TrackedFace {
  return { id: track, box: { x, y: 100, width: 80, height: 100 }, score: 0.9, isSeen: true, ...change };
}

class IdentifiedFrames {
  state: IdentityState = FIRST_IDENTITIES;
  #frame = 0;

  /** @param whose number of the face that a track really shows; null: faces cannot be compared */
  async run(
    frames: number,
    faces: readonly TrackedFace[],
    whose: ((track: number) => number) | null,
    isCut = false,
  ): Promise<void> {
    for (let i = 0; i < frames; i++) {
      const computeEmbedding = ({ id }: TrackedFace): Promise<Float32Array | null> =>
        Promise.resolve(whose === null ? null : embedding(whose(id)));
      const isNewShot = ++this.#frame === 1 || (isCut && i === 0);
      this.state = await identify(this.state, { frame: this.#frame, faces, isNewShot }, computeEmbedding);
    }
  }

  get shown(): [person: number, track: number][] {
    return this.state.people.flatMap(({ id, trackId }) =>
      trackId === null ? [] : [[id, trackId] as [number, number]],
    );
  }
}

test('people who are tracked without interruption are enrolled three times and never compared', async () => {
  const video = new IdentifiedFrames();
  await video.run(500, [face(1, 100), face(2, 600)], (track) => track);
  expect(video.shown).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(video.state.counts).toEqual({
    comparisons: 0,
    enrolments: 6,
    corrections: 0,
    framesWithEmbeddings: 3,
  });
});

test('tracks that were swapped during a crossing are corrected', async () => {
  const video = new IdentifiedFrames();
  await video.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await video.run(10, [face(1, 340), face(2, 360)], (track) => track);
  await video.run(10, [face(1, 600), face(2, 100)], (track) => 3 - track);
  expect(video.shown).toEqual([
    [1, 2],
    [2, 1],
  ]);
  expect(video.state.counts.corrections).toBe(1);
});

test('tracks that were not swapped during a crossing are compared once and kept', async () => {
  const video = new IdentifiedFrames();
  await video.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await video.run(10, [face(1, 340), face(2, 360)], (track) => track);
  await video.run(10, [face(1, 600), face(2, 100)], (track) => track);
  expect(video.shown).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect(video.state.counts).toMatchObject({ corrections: 0, comparisons: 2 });
});

test('a person who reappears anywhere keeps their identity, and a new person gets a new one', async () => {
  const video = new IdentifiedFrames();
  await video.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await video.run(200, [face(1, 100)], (track) => track);
  await video.run(20, [face(1, 100), face(5, 1000)], () => 9);
  expect(video.shown).toContainEqual([3, 5]);
  await video.run(20, [face(1, 100), face(6, 900)], (track) => (track === 6 ? 2 : 9));
  expect(video.shown).toContainEqual([2, 6]);
});

test('without embeddings, a person is found again only near the position where they were lost', async () => {
  const near = new IdentifiedFrames();
  await near.run(60, [face(1, 100), face(2, 600)], null);
  await near.run(40, [face(1, 100)], null);
  await near.run(1, [face(1, 100), face(5, 660)], null);
  expect(near.shown).toContainEqual([2, 5]);
  const far = new IdentifiedFrames();
  await far.run(60, [face(1, 100), face(2, 600)], null);
  await far.run(40, [face(1, 100)], null);
  await far.run(1, [face(1, 100), face(5, 1100)], null);
  expect(far.shown).toContainEqual([3, 5]);
});

test('false detections and people who left long ago are forgotten', async () => {
  const video = new IdentifiedFrames();
  await video.run(10, [face(99, 100)], null);
  for (let track = 1; track < 50; track++)
    await video.run(2, [face(99, 100), face(track, 300 + track * 20)], null);
  expect(video.state.people.length).toBeLessThanOrEqual(8);
  await video.run(40, [face(99, 100)], null);
  expect(video.state.people.length).toBe(1);
});

test('at a cut everybody loses their track, and unknown people are visible and stable at once', async () => {
  const video = new IdentifiedFrames();
  await video.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await video.run(1, [face(3, 100), face(4, 600, { score: 0.4 })], (track) => track + 4, true);
  expect(video.shown).toEqual([
    [3, 3],
    [4, 4],
  ]);
  const [, , certain, uncertain] = video.state.people;
  expect(certain !== undefined && isStable(certain) && isVisible(certain)).toBe(true);
  expect(uncertain !== undefined && isStable(uncertain)).toBe(false);
});

test('at a cut back to known people, each is recognised in the first frame', async () => {
  const video = new IdentifiedFrames();
  await video.run(60, [face(1, 100), face(2, 600)], (track) => track);
  await video.run(60, [face(3, 300)], () => 7, true);
  await video.run(1, [face(4, 100), face(5, 600)], (track) => (track === 4 ? 2 : 1), true);
  expect(video.shown).toEqual([
    [1, 5],
    [2, 4],
  ]);
});
