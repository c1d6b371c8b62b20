import { expect, test } from 'vitest';
import {
  boxAt,
  isSeenAt,
  presenceIn,
  type Presence,
} from '../../../../../src/pipelines/dual-face/direction/presence.ts';

const RATE = 25;

/** The presence of a person who is seen in the frames of a shot from `from`, below `to`. */
function presenceOf(from: number, to: number, shot: { from: number; to: number }): Presence {
  const box = { x: 100, y: 100, width: 80, height: 100 };
  const sightings = Array.from({ length: to - from }, (_, i) => ({ frame: from + i, score: 0.9, box }));
  const person = { id: 1, tracklets: [{ id: 1, shot: 0, sightings, embeddings: [], embeddedAt: [] }] };
  return presenceIn(shot, person, RATE, 1) ?? expect.fail('not there');
}

test('a person who passes by in a long shot takes no memory for the rest of it', () => {
  const presence = presenceOf(50_500, 50_600, { from: 500, to: 90_500 });
  expect({ from: presence.from, frames: presence.boxes.length }).toEqual({ from: 50_000, frames: 113 });
  expect([49_999, 50_000, 50_112, 50_113].map((at) => boxAt(presence, at) !== null)).toEqual([
    ...[false, true, true, false],
  ]);
  expect([50_000, 50_099, 50_100].map((at) => isSeenAt(presence, at))).toEqual([true, true, false]);
});

test('a person who is first and last seen near the cuts is there from cut to cut', () => {
  const presence = presenceOf(8, 95, { from: 0, to: 100 });
  expect({ from: presence.from, frames: presence.boxes.length }).toEqual({ from: 0, frames: 100 });
  expect([0, 99].map((at) => boxAt(presence, at) !== null)).toEqual([true, true]);
});

test('a person may be seen in any number of frames', () => {
  expect(presenceOf(0, 150_000, { from: 0, to: 150_000 }).boxes).toHaveLength(150_000);
});
