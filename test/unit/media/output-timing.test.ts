import { PROGRESSIVE } from '../../../src/media/fields/field-plan.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MediaInfo } from '../../../src/domain/media-info.ts';
import type { FrameIndex } from '../../../src/media/index/frame-index.ts';
import { decodeFrameIndex, encodeFrameIndex } from '../../../src/media/index/frame-index-file.ts';
import { averageRate, outputTiming } from '../../../src/media/encode/output-timing.ts';

const source = (startSeconds: number) => ({ startSeconds }) as MediaInfo;

function index(pts: number[], num: number, den: number, lastDuration = 1): FrameIndex {
  return {
    timeBase: { num, den },
    pts: Float64Array.from(pts),
    hashes: Uint32Array.from(pts, (_, i) => i * 7),
    lastDuration,
    packetCount: pts.length,
    decoderErrorCount: 0,
    fields: PROGRESSIVE,
    captions: null,
  };
}

test('a time base of 1001/30000 becomes whole ticks without rounding', () => {
  const timing = outputTiming(index([0, 1, 2, 3], 1001, 30000), source(0));
  expect(timing.timescale).toBe(30000);
  expect([...timing.pts]).toEqual([0, 1001, 2002, 3003]);
  expect(Number(averageRate(timing))).toBeCloseTo(30000 / 1001, 5);
});

test('a coarse time base is refined to make room for decoding timestamps', () => {
  const timing = outputTiming(index([0, 4, 8], 1, 100, 4), source(0));
  expect(timing).toMatchObject({ timescale: 1000, lastDuration: 40 });
  expect([...timing.pts]).toEqual([0, 40, 80]);
});

test('timestamps are relative to the start of the source', () => {
  const timing = outputTiming(index([126_000, 129_003], 1, 90_000), source(1.4));
  expect([...timing.pts]).toEqual([0, 3003]);
});

test('a frame whose timestamp does not increase is moved to one tick after the frame before', () => {
  const timing = outputTiming(index([0, 40, 40, 30, 80], 1, 1000), source(0));
  expect([...timing.pts]).toEqual([0, 40, 41, 42, 80]);
});

test('an index survives serialisation, and truncated bytes are rejected', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e12, max: 1e12 }), { maxLength: 50 }), fc.nat(), (pts, cut) => {
      const whole = index(pts, 1, 12800, 512);
      const bytes = encodeFrameIndex(whole);
      expect(decodeFrameIndex(bytes)).toEqual(whole);
      expect(decodeFrameIndex(bytes.subarray(0, cut % bytes.length))).toBeNull();
    }),
  );
});
