import { expect, test } from 'vitest';
import {
  boxAt,
  isSeenAt,
  presenceIn,
  type Presence,
} from '../../../../../src/pipelines/dual-face/direction/presence.ts';
import type { Box } from '../../../../../src/pipelines/dual-face/tracking/box.ts';

const RATE = 25;

/** The presence of a person who is seen in the frames of a shot from `from`, below `to`. @param step pixels per frame */
function presenceOf(
  from: number,
  to: number,
  shot: { from: number; to: number },
  step = 0,
  width = 1_000_000,
): Presence {
  const box = (x: number): Box => ({ x, y: 100, width: 80, height: 100 });
  const sightings = Array.from({ length: to - from }, (_, i) => ({
    ...{ frame: from + i, score: 0.9, box: box(100 + i * step) },
  }));
  const person = { id: 1, tracklets: [{ id: 1, shot: 0, sightings, embeddings: [], embeddedAt: [] }] };
  return presenceIn(shot, person, RATE, 1, width) ?? expect.fail('not there');
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

test('who sits still is there from a cut that is further away; who comes or leaves is not', () => {
  const reach = (step: number): { from: number; end: number } => {
    const { from, boxes } = presenceOf(20, 82, { from: 0, to: 100 }, step);
    return { from, end: from + boxes.filter((box) => box !== null).length };
  };
  expect(reach(0)).toEqual({ from: 0, end: 100 });
  expect(reach(5)).toEqual({ from: 20, end: 95 });
});

test('a person may be seen in any number of frames', () => {
  expect(presenceOf(0, 150_000, { from: 0, to: 150_000 }).boxes).toHaveLength(150_000);
});

test('who walks out of the image is there until the middle of the face is outside, who turns away for half a second', () => {
  const until = (step: number, width: number): number => {
    const { from, boxes } = presenceOf(0, 40, { from: 0, to: 200 }, step, width);
    return from + boxes.length;
  };
  // Last seen with its middle at 530 and 10 pixels per frame; at 120 if it rests.
  expect(until(10, 560)).toBe(43);
  expect(until(10, 520)).toBe(40);
  expect(until(10, 900)).toBe(53);
  expect(until(0, 185)).toBe(53);
});
