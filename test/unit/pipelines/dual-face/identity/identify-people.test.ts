import { expect, test } from 'vitest';
import { identifyPeople } from '../../../../../src/pipelines/dual-face/identity/identify-people.ts';
import type { Tracklet } from '../../../../../src/pipelines/dual-face/identity/tracklet.ts';

/** An embedding of person `who`, turned towards person `to` by a share. */
function face(who: number, to = who, share = 0): Float32Array {
  const vector = Float32Array.from(
    { length: 128 },
    (_, i) => (i === who ? 1 - share : 0) + (i === to ? share : 0),
  );
  return unit(vector);
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** An embedding that is far from those with another number. */
function someFace(number: number): Float32Array {
  return unit(Float32Array.from({ length: 128 }, (_, i) => Math.sin((number + 1) * (i + 1) ** 2)));
}

let nextId = 1;

function tracklet(
  from: number,
  to: number,
  embeddings: readonly Float32Array[],
  x = 100,
  shot = 0,
): Tracklet {
  const sightings = Array.from({ length: to - from }, (_, i) => ({
    ...{ frame: from + i, score: 0.9 },
    box: { x, y: 100, width: 80, height: 100 },
  }));
  return { id: nextId++, shot, sightings, embeddings, embeddedAt: embeddings.map((_, i) => from + i) };
}

/** The numbers of the first frames of the tracklets of each person. */
function peopleOf(tracklets: readonly Tracklet[]): (number | undefined)[][] {
  return identifyPeople(tracklets).map((person) =>
    person.tracklets.map(({ sightings }) => sightings[0]?.frame).sort((a = 0, b = 0) => a - b),
  );
}

test('people are found again in other shots, whatever place they have there', () => {
  expect(
    peopleOf([
      tracklet(0, 50, [face(1), face(1)], 100),
      tracklet(1, 50, [face(2)], 500),
      tracklet(60, 90, [face(2)], 100, 1),
      tracklet(61, 90, [face(1)], 500, 1),
    ]),
  ).toEqual([
    [0, 61],
    [1, 60],
  ]);
});

test('one misleading embedding does not decide against the others of its track', () => {
  const misleading = [face(1, 2, 0.6), face(1), face(1), face(1), face(1)];
  expect(
    peopleOf([
      tracklet(0, 50, [face(1)]),
      tracklet(1, 50, [face(2)], 500),
      tracklet(60, 90, misleading, 500, 1),
    ]),
  ).toEqual([[0, 60], [1]]);
});

test('two faces in the same frame are never the same person', () => {
  expect(peopleOf([tracklet(0, 50, [face(1)]), tracklet(10, 40, [face(1)], 500)])).toEqual([[0], [10]]);
});

test('a face that cannot be compared continues whoever was there, but only in the same shot and place', () => {
  expect(peopleOf([tracklet(0, 50, [face(1)]), tracklet(60, 70, [], 130)])).toEqual([[0, 60]]);
  expect(peopleOf([tracklet(0, 50, [face(1)]), tracklet(60, 70, [], 400)])).toEqual([[0], [60]]);
  expect(peopleOf([tracklet(0, 50, [face(1)]), tracklet(60, 70, [], 130, 1)])).toEqual([[0], [60]]);
});

test('a turned head continues the person in its place, and another face does not', () => {
  expect(peopleOf([tracklet(0, 50, [face(1)]), tracklet(55, 90, [face(1, 9, 0.3)])])).toEqual([[0, 55]]);
  expect(peopleOf([tracklet(0, 50, [face(1)]), tracklet(55, 90, [face(2)])])).toEqual([[0], [55]]);
});

test('hundreds of people who are recognised only after more of them was seen take little time', () => {
  const tracklets = Array.from({ length: 500 }, (_, who) => {
    const [a, b] = [someFace(3 * who), someFace(3 * who + 1)];
    const turned = (share: number): Float32Array => unit(a.map((value, i) => value + share * (b[i] ?? 0)));
    const from = 100 * who;
    return [
      tracklet(from, from + 3, [a, a, a], 100, who),
      tracklet(from + 10, from + 13, [turned(0.34), turned(0.34)], 900, who),
      tracklet(from + 20, from + 23, [turned(0.17)], 1700, who),
    ];
  }).flat();
  const people = identifyPeople(tracklets);
  expect(people.map((person) => person.tracklets.length)).toEqual(Array.from({ length: 500 }, () => 3));
});

test('a person is seen in any number of tracklets', { timeout: 30_000 }, () => {
  const embeddings = [face(1)];
  const many = Array.from({ length: 150_000 }, (_, i) => tracklet(i, i + 1, embeddings));
  expect(identifyPeople([...many, tracklet(150_000, 150_001, [])])).toHaveLength(1);
});
