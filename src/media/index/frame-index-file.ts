import type { Rational } from '../../domain/media-info.ts';
import type { FieldPlan } from '../fields/field-plan.ts';
import type { FrameIndex } from './frame-index.ts';
import { decodeCaptions, encodeCaptions } from '../captions/captions-file.ts';

const VERSION = 4;

interface Header {
  readonly timeBase: Rational;
  readonly frames: number;
  readonly lastDuration: number;
  readonly packetCount: number;
  /** The decoder errors, under the name that this version of the file has for them. */
  readonly complaintCount: number;
  readonly fields: FieldPlan;
  /** Length of the captions after the hashes; 0 if there are none. */
  readonly captionBytes: number;
}

/** Serialises the index for the job folder: one line of JSON, the timestamps, the hashes and the captions, little-endian. */
export function encodeFrameIndex(index: FrameIndex): Buffer {
  const captions = index.captions === null ? Buffer.alloc(0) : encodeCaptions(index.captions);
  const header = {
    version: VERSION,
    timeBase: index.timeBase,
    frames: index.pts.length,
    lastDuration: index.lastDuration,
    packetCount: index.packetCount,
    complaintCount: index.decoderErrorCount,
    fields: index.fields,
    captionBytes: captions.length,
  };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    Buffer.from(index.pts.buffer, index.pts.byteOffset, index.pts.byteLength),
    Buffer.from(index.hashes.buffer, index.hashes.byteOffset, index.hashes.byteLength),
    captions,
  ]);
}

/** @returns null if the bytes are not a complete index of this version; the caller then builds a new one */
export function decodeFrameIndex(bytes: Buffer): FrameIndex | null {
  const lineEnd = bytes.indexOf(0x0a);
  if (lineEnd < 0) return null;
  const header = parseHeader(bytes.toString('utf8', 0, lineEnd));
  if (header === null) return null;
  const captionsAt = lineEnd + 1 + header.frames * 12;
  if (bytes.length !== captionsAt + header.captionBytes) return null;
  // Copied, because typed arrays must start at a multiple of their element size.
  const body = Uint8Array.prototype.slice.call(bytes, lineEnd + 1, captionsAt).buffer;
  return {
    timeBase: header.timeBase,
    pts: new Float64Array(body, 0, header.frames),
    hashes: new Uint32Array(body, header.frames * 8, header.frames),
    lastDuration: header.lastDuration,
    packetCount: header.packetCount,
    decoderErrorCount: header.complaintCount,
    fields: header.fields,
    captions: header.captionBytes === 0 ? null : decodeCaptions(bytes.subarray(captionsAt), header.frames),
  };
}

function parseHeader(line: string): Header | null {
  try {
    const header = JSON.parse(line) as Header & { version: number };
    return header.version === VERSION ? header : null;
  } catch {
    return null; // Not an index, or an incomplete one.
  }
}
