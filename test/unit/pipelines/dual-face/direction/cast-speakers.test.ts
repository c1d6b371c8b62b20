import { expect, test } from 'vitest';
import { castSpeakers } from '../../../../../src/pipelines/dual-face/direction/cast-speakers.ts';
import type { Presence } from '../../../../../src/pipelines/dual-face/direction/presence.ts';

const RATE = 25;
/** Movement of mouths that were measured: of somebody who talks, and of somebody who does not. */
const [TALKING, IDLE] = [0.3, 0.02];

interface Turn {
  readonly who: number;
  readonly from: number;
  readonly to: number;
}

/** People who are there all the time, and whose mouths move in their turns; between syllables they stand still. */
function people(count: number, frames: number, turns: readonly Turn[], height = 100): Presence[] {
  return Array.from({ length: count }, (_, i) => ({
    personId: i + 1,
    from: 0,
    boxes: Array.from({ length: frames }, () => ({ x: 200 * i, y: 100, width: 80, height })),
    isSeen: new Array<boolean>(frames).fill(true),
    mouth: Array.from({ length: frames }, (__, at) =>
      turns.some(({ who, from, to }) => who === i + 1 && at >= from && at < to)
        ? TALKING * (at % 6 < 4 ? 1.5 : 0)
        : IDLE,
    ),
    height,
  }));
}

function shown(presences: readonly Presence[], speech: Float32Array | null, frames: number): number[][] {
  return castSpeakers(presences, speech, frames, RATE).map(({ from, members }) => [
    from,
    ...members.map(({ personId }) => personId),
  ]);
}

test('the pane changes where somebody else begins to speak', () => {
  const turns = [
    { who: 1, from: 0, to: 100 },
    { who: 2, from: 100, to: 160 },
    { who: 3, from: 160, to: 250 },
  ];
  const casts = castSpeakers(people(3, 250, turns), null, 250, RATE);
  expect(casts.map(({ members }) => members.map(({ personId }) => personId))).toEqual([[1], [2], [3]]);
  const starts = casts.map(({ from }) => from);
  for (const [i, at] of [0, 100, 160].entries())
    expect(Math.abs((starts[i] ?? 0) - at)).toBeLessThanOrEqual(3);
});

test.each([
  [1, [[0, 1]]],
  [2, [expect.anything(), expect.anything(), expect.anything()]],
])('somebody who speaks for %i s in between: %j', (seconds, casts) => {
  const turns = [
    { who: 1, from: 0, to: 100 },
    { who: 2, from: 100, to: 100 + seconds * RATE },
    { who: 1, from: 100 + seconds * RATE, to: 300 },
  ];
  expect(shown(people(2, 300, turns), null, 300)).toEqual(casts);
});

test('a mouth that moves in silence does not get the pane; without audio it does', () => {
  const turns = [
    { who: 1, from: 0, to: 100 },
    { who: 2, from: 110, to: 190 },
  ];
  const speech = Float32Array.from({ length: 200 }, (_, at) => (at < 100 ? 1 : 0));
  expect(shown(people(2, 200, turns), speech, 200)).toEqual([[0, 1]]);
  expect(shown(people(2, 200, turns), null, 200)).toHaveLength(2);
});

test('a voice of somebody who is not in view changes nothing', () => {
  const presences = people(2, 300, [{ who: 2, from: 0, to: 75 }]);
  expect(shown(presences, new Float32Array(300).fill(1), 300)).toEqual([[0, 2]]);
});

test('if nobody speaks in a shot, the largest face is shown', () => {
  const [small] = people(1, 100, []);
  const [, large] = people(2, 100, [], 150);
  expect(
    shown(
      [small, large].filter((each) => each !== undefined),
      null,
      100,
    ),
  ).toEqual([[0, 2]]);
});

test('whoever leaves gives the pane to somebody who is still there', () => {
  const [speaker, other] = people(2, 200, [{ who: 1, from: 0, to: 100 }]);
  if (speaker === undefined || other === undefined) expect.fail();
  const leaving = { ...speaker, boxes: speaker.boxes.slice(0, 100) };
  expect(shown([leaving, other], null, 200)).toEqual([
    [0, 1],
    [100, 2],
  ]);
});

test('a shot without people has a cast of nobody', () => {
  expect(castSpeakers([], null, 50, RATE)).toEqual([{ from: 0, members: [] }]);
});
