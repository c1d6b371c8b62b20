/** An encoded frame in a fragment. Times are in ticks of the track. */
export interface Sample {
  readonly bytes: number;
  readonly duration: number;
  readonly flags: number;
  /** Presentation time minus decoding time. */
  readonly offset: number;
}

/** A movie fragment with one track (ISO/IEC 14496-12, 8.8). */
export interface Fragment {
  readonly sequenceNumber: number;
  readonly trackId: number;
  /** Decoding time of the first sample. */
  readonly decodeTime: number;
  readonly samples: readonly Sample[];
}

/** Flags of the boxes `tfhd` and `trun`: which of the optional fields they contain. */
const TFHD = { offset: 1, description: 2, duration: 8, size: 0x10, flags: 0x20, isRelative: 0x2_0000 };
const TRUN = { dataOffset: 1, firstFlags: 4, duration: 0x100, size: 0x200, flags: 0x400, offset: 0x800 };

/** Parses the box `moof` of a fragment. */
export function parseFragment(moof: Buffer): Fragment {
  const traf = child(moof, 'traf') ?? moof;
  const [tfhd, tfdt] = [child(traf, 'tfhd') ?? moof, child(traf, 'tfdt') ?? moof];
  const defaults = new Fields(tfhd, 12);
  const trackId = defaults.next();
  defaults.skipIf(TFHD.offset, 2);
  defaults.skipIf(TFHD.description, 1);
  const [duration, bytes, flags] = [TFHD.duration, TFHD.size, TFHD.flags].map(
    (flag) => defaults.nextIf(flag) ?? 0,
  );
  return {
    sequenceNumber: (child(moof, 'mfhd') ?? moof).readUInt32BE(12),
    trackId,
    decodeTime: tfdt[8] === 1 ? Number(tfdt.readBigUInt64BE(12)) : tfdt.readUInt32BE(12),
    samples: children(traf)
      .filter(({ type }) => type === 'trun')
      .flatMap(({ box }) => parseRun(box, { duration: duration ?? 0, bytes: bytes ?? 0, flags: flags ?? 0 })),
  };
}

function parseRun(trun: Buffer, defaults: Omit<Sample, 'offset'>): Sample[] {
  const fields = new Fields(trun, 12);
  const count = fields.next();
  fields.skipIf(TRUN.dataOffset, 1);
  const firstFlags = fields.nextIf(TRUN.firstFlags);
  return Array.from({ length: count }, (_, i) => ({
    duration: fields.nextIf(TRUN.duration) ?? defaults.duration,
    bytes: fields.nextIf(TRUN.size) ?? defaults.bytes,
    flags: fields.nextIf(TRUN.flags) ?? (i === 0 ? firstFlags : null) ?? defaults.flags,
    // Signed in version 1 of the box; in version 0 it is never that large.
    offset: (fields.nextIf(TRUN.offset) ?? 0) | 0,
  }));
}

/** The box `moof` of a fragment and the header of its box `mdat`, which the bytes of the samples follow. */
export function fragmentHeader({ sequenceNumber, trackId, decodeTime, samples }: Fragment): Buffer {
  const bytes = samples.reduce((sum, sample) => sum + sample.bytes, 0);
  const mdat = bytes + 8 <= 0xffff_ffff ? boxHeader(bytes + 8, 'mdat') : largeBoxHeader(bytes + 16, 'mdat');
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(decodeTime));
  const moofOf = (dataOffset: number): Buffer =>
    makeBox(
      'moof',
      makeBox('mfhd', words(0, sequenceNumber)),
      makeBox(
        'traf',
        makeBox('tfhd', words(TFHD.isRelative, trackId)),
        makeBox('tfdt', words(0x0100_0000), time),
        makeBox(
          'trun',
          words(0x0100_0000 | TRUN.dataOffset | TRUN.duration | TRUN.size | TRUN.flags | TRUN.offset),
          words(samples.length, dataOffset),
          ...samples.map((sample) => words(sample.duration, sample.bytes, sample.flags, sample.offset)),
        ),
      ),
    );
  return Buffer.concat([moofOf(moofOf(0).length + mdat.length), mdat]);
}

/** Reads the 32-bit fields of a box, some of which its flags announce. */
class Fields {
  readonly #box: Buffer;
  readonly #flags: number;
  #at: number;

  constructor(box: Buffer, at: number) {
    this.#box = box;
    this.#flags = box.readUInt32BE(8) & 0xff_ffff;
    this.#at = at;
  }

  next(): number {
    this.#at += 4;
    return this.#box.readUInt32BE(this.#at - 4);
  }

  nextIf(flag: number): number | null {
    return (this.#flags & flag) === 0 ? null : this.next();
  }

  skipIf(flag: number, fields: number): void {
    if ((this.#flags & flag) !== 0) this.#at += 4 * fields;
  }
}

function child(parent: Buffer, type: string): Buffer | null {
  return children(parent).find((each) => each.type === type)?.box ?? null;
}

function children(parent: Buffer): { type: string; box: Buffer }[] {
  const found: { type: string; box: Buffer }[] = [];
  for (let at = 8; at + 8 <= parent.length;) {
    const end = at + Math.max(8, parent.readUInt32BE(at));
    found.push({ type: parent.toString('latin1', at + 4, at + 8), box: parent.subarray(at, end) });
    at = end;
  }
  return found;
}

function makeBox(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([boxHeader(body.length + 8, type), body]);
}

function boxHeader(bytes: number, type: string): Buffer {
  return Buffer.concat([words(bytes), Buffer.from(type, 'latin1')]);
}

function largeBoxHeader(bytes: number, type: string): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(bytes));
  return Buffer.concat([boxHeader(1, type), size]);
}

/** 32-bit numbers, big-endian; negative ones as two's complement. */
function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i);
  return bytes;
}
