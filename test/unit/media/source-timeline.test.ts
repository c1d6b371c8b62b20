import { describe, expect, test } from 'vitest';
import { ClockFollower } from '../../../src/media/index/source-timeline.ts';

const [VIDEO, AUDIO, SUBTITLES] = [0, 1, 2];

/** Follows packets of video and audio, in the order in which a file stores them. */
function follow(packets: readonly (readonly [stream: number, at: number])[]) {
  const follower = new ClockFollower(new Set([VIDEO, AUDIO]));
  for (const [stream, at] of packets) follower.add(stream, at);
  return follower.timeline();
}

/** Packets of a stream every 0.04 s, from one time to another. */
function stream(index: number, from: number, to: number): (readonly [number, number])[] {
  const count = Math.round((to - from) / 0.04);
  return Array.from({ length: count }, (_, i) => [index, from + i * 0.04] as const);
}

/** Stores the packets of several streams by time, as a muxer does. */
function stored(...streams: (readonly [number, number])[][]): (readonly [number, number])[] {
  return streams.flat().sort(([, a], [, b]) => a - b);
}

describe('one clock', () => {
  test.each([
    ['a stall of the video', stored(stream(VIDEO, 0, 2), stream(VIDEO, 600, 602), stream(AUDIO, 0, 602))],
    ['a stall of the audio', stored(stream(VIDEO, 0, 602), stream(AUDIO, 0, 2), stream(AUDIO, 600, 602))],
    [
      'a stall of both',
      stored(stream(VIDEO, 0, 2), stream(AUDIO, 0, 2.4), stream(VIDEO, 60, 62), stream(AUDIO, 60.2, 62)),
    ],
    ['audio that starts late', stored(stream(VIDEO, 0, 30), stream(AUDIO, 20, 30))],
    ['audio that is stored three seconds late', [...stream(VIDEO, 0, 3), ...stream(AUDIO, 0, 3)]],
    [
      'packets without timestamps',
      [
        [VIDEO, 0],
        [VIDEO, NaN],
        [AUDIO, 0],
        [VIDEO, 0.08],
      ] as const,
    ],
    [
      'subtitles far ahead',
      [
        [VIDEO, 0],
        [SUBTITLES, 4000],
        [AUDIO, 0.01],
        [VIDEO, 0.04],
      ] as const,
    ],
  ])('%s', (_, packets) => {
    expect(follow(packets)).toMatchObject({ parts: [{ shiftSeconds: 0 }], discontinuities: [] });
  });
});

describe('another clock', () => {
  test.each([
    ['back', 0],
    ['far ahead', 5000],
  ])('%s: both streams are moved alike, without an overlap', (_, at) => {
    const packets = [
      ...stored(stream(VIDEO, 100, 102), stream(AUDIO, 100, 102.2)),
      ...stored(stream(VIDEO, at, at + 2), stream(AUDIO, at + 0.08, at + 2)),
    ];
    const { parts, discontinuities } = follow(packets);
    expect(discontinuities).toHaveLength(1);
    expect(parts.map(({ firstPackets }) => [...firstPackets])).toEqual([
      [
        [VIDEO, 0],
        [AUDIO, 0],
      ],
      [
        [VIDEO, 50],
        [AUDIO, 55],
      ],
    ]);
    // The audio of the first part ends at 102.2, that of the second one begins 0.08 s after its video.
    expect(parts[1]?.shiftSeconds).toBeCloseTo(102.2 - 0.08 - at, 6);
  });

  test('a stream that first appears on another clock has a time before the jump', () => {
    const { discontinuities } = follow([...stream(VIDEO, 0, 2), [AUDIO, 5000]]);
    expect(discontinuities).toEqual([{ at: 49 * 0.04, to: 5000 }]);
  });

  test('subtitles follow the video that is stored beside them', () => {
    const recording = (): (readonly [number, number])[] =>
      stored(
        stream(VIDEO, 1, 3),
        stream(AUDIO, 1, 3),
        [1.1, 2.1, 2.9].map((at) => [SUBTITLES, at]),
      );
    const late = [SUBTITLES, 2.95] as const;
    const { parts } = follow([...recording(), ...recording().toSpliced(2, 0, late), ...recording()]);
    expect(parts.map(({ firstPackets }) => firstPackets.get(SUBTITLES))).toEqual([0, 4, 7]);
  });

  test('the last packets of the old part may be stored after the first ones of the new part', () => {
    const packets = [
      ...stored(stream(VIDEO, 100, 102), stream(AUDIO, 100, 101.6)),
      ...stream(VIDEO, 0, 0.2),
      ...stream(AUDIO, 101.6, 102),
      ...stored(stream(VIDEO, 0.2, 2), stream(AUDIO, 0, 2)),
    ];
    const { parts, discontinuities } = follow(packets);
    expect(discontinuities).toHaveLength(1);
    expect(parts[1]?.firstPackets.get(AUDIO)).toBe(50);
  });
});
