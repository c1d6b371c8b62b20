import { expect, test } from 'vitest';
import type { Person } from '../../../../../src/pipelines/dual-face/identity/person.ts';
import { settleCrossings } from '../../../../../src/pipelines/dual-face/identity/settle-crossings.ts';
import type { Tracklet } from '../../../../../src/pipelines/dual-face/identity/tracklet.ts';

/** Where a face of 80 pixels is in each frame; null: not seen. */
type Walk = (frame: number) => number | null;

/** Two people who walk to each other's place from frame 20 to frame 60; person 2 is hidden in the middle. */
const toTheRight: Walk = (frame) => 100 + 10 * Math.min(40, Math.max(0, frame - 20));
const toTheLeft: Walk = (frame) => {
  const x = 500 - 10 * Math.min(40, Math.max(0, frame - 20));
  return Math.abs(x - (toTheRight(frame) ?? 0)) < 45 ? null : x;
};

let nextId = 1;

/** @param who whose face the embeddings show; null: there are none */
function tracklet(walk: Walk, from: number, to: number, who: number | null = null): Tracklet {
  const frames = Array.from({ length: to - from }, (_, i) => from + i);
  const sightings = frames.flatMap((frame) => {
    const x = walk(frame);
    return x === null ? [] : [{ frame, score: 0.9, box: { x, y: 100, width: 80, height: 100 } }];
  });
  const embeddedAt = who === null ? [] : [from, to - 1];
  const embeddings = embeddedAt.map(() => Float32Array.from({ length: 128 }, (_, i) => Number(i === who)));
  return { id: nextId++, shot: 0, sightings, embeddings, embeddedAt };
}

function person(id: number, ...tracklets: Tracklet[]): Person {
  return { id, tracklets };
}

/** The frames in which each person is seen off their own walk. */
function strayFrames(people: readonly Person[], walks: readonly Walk[]): number[][] {
  return people.map(({ tracklets }, i) =>
    tracklets
      .flatMap(({ sightings }) => sightings)
      .filter(({ frame, box }) => box.x !== walks[i]?.(frame))
      .map(({ frame }) => frame),
  );
}

test('a track that moves to the other person while one hides the other is given back, face by face', () => {
  const people = settleCrossings([
    person(1, tracklet(toTheRight, 0, 38, 1), tracklet(toTheLeft, 43, 46), tracklet(toTheRight, 46, 80, 1)),
    person(2, tracklet(toTheLeft, 0, 38, 2), tracklet(toTheRight, 38, 46), tracklet(toTheLeft, 46, 80, 2)),
  ]);
  expect(strayFrames(people, [toTheRight, toTheLeft])).toEqual([[], []]);
  const frames = people.map(({ tracklets }) => tracklets.flatMap(({ sightings }) => sightings).length);
  expect(frames).toEqual([80, 80 - 5]);
});

test('faces of a crossing that were taken for a person of their own belong to the one on whose path they lie', () => {
  const people = settleCrossings([
    person(1, tracklet(toTheRight, 0, 36, 1), tracklet(toTheRight, 46, 80, 1)),
    person(2, tracklet(toTheLeft, 0, 36, 2), tracklet(toTheLeft, 46, 80, 2)),
    person(3, tracklet(toTheRight, 40, 42)),
  ]);
  expect(people.map(({ id }) => id)).toEqual([1, 2]);
  expect(people[0]?.tracklets.map(({ sightings }) => sightings[0]?.frame)).toEqual([0, 46, 40]);
});

test('somebody who steps in front of another and back keeps the faces that are recognised as theirs', () => {
  // From 100 to 490, in front of the other at 500 from frame 40 to frame 55, and back.
  const there: Walk = (frame) => 100 + 13 * Math.max(0, 30 - Math.max(0, Math.abs(frame - 47.5) - 7.5));
  const still: Walk = () => 500;
  const people = settleCrossings([
    person(1, tracklet(there, 0, 36, 1), tracklet(there, 60, 90, 1)),
    person(2, tracklet(still, 0, 36, 2), tracklet(there, 40, 56, 1), tracklet(still, 60, 90, 2)),
  ]);
  expect(strayFrames(people, [there, still])).toEqual([[], []]);
});

test('two people who sit close together all the time keep their faces', () => {
  const left: Walk = () => 100;
  const right: Walk = () => 160;
  const before = [person(1, tracklet(left, 0, 200, 1)), person(2, tracklet(right, 0, 200, 2))];
  expect(settleCrossings(before)).toEqual(before);
});

test('a crossing at the end of a shot stays as it is, because nobody is known after it', () => {
  const before = [
    person(1, tracklet(toTheRight, 0, 43, 1), tracklet(toTheLeft, 43, 46)),
    person(2, tracklet(toTheLeft, 0, 36, 2)),
  ];
  expect(settleCrossings(before)).toEqual(before);
});
