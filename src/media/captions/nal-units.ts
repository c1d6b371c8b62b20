import type { Readable } from 'node:stream';

/** Start of a NAL unit in a byte stream (ITU-T H.264, annex B). */
const START_CODE = Buffer.from([0, 0, 1]);

/** Yields the NAL units of a byte stream as they arrive, without their start codes. */
export async function* readNalUnits(stream: Readable): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let next = nextStart(rest); next >= 0; next = nextStart(rest)) {
      if (startsUnit(rest)) yield withoutZeros(rest.subarray(START_CODE.length, next));
      rest = rest.subarray(next);
    }
  }
  if (startsUnit(rest)) yield withoutZeros(rest.subarray(START_CODE.length));
}

function nextStart(bytes: Buffer): number {
  return bytes.indexOf(START_CODE, startsUnit(bytes) ? START_CODE.length : 0);
}

function startsUnit(bytes: Buffer): boolean {
  return bytes.subarray(0, START_CODE.length).equals(START_CODE);
}

/** Without the zeros that may precede the next start code. */
function withoutZeros(unit: Buffer): Buffer {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end--;
  return unit.subarray(0, end);
}

/** Inserts the bytes that keep start codes from appearing in a NAL unit (ITU-T H.264, 7.4.1). */
export function escapeNalUnit(bytes: Buffer): Buffer {
  const escaped: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros === 2 && byte <= 3) {
      escaped.push(3);
      zeros = 0;
    }
    escaped.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(escaped);
}

/** Reverses `escapeNalUnit`. */
export function unescapeNalUnit(bytes: Buffer): Buffer {
  const isEscape = (i: number): boolean => bytes[i] === 3 && bytes[i - 1] === 0 && bytes[i - 2] === 0;
  return Buffer.from(bytes.filter((_, i) => !isEscape(i)));
}
