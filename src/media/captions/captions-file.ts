import type { Captions } from './captions.ts';

/** Serialises captions: for each frame the number of its payload, then the payloads with their lengths; little-endian. */
export function encodeCaptions({ payloads, ofFrame }: Captions): Buffer {
  const lengthOf = (payload: Buffer): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(payload.length);
    return length;
  };
  return Buffer.concat([
    Buffer.from(ofFrame.buffer, ofFrame.byteOffset, ofFrame.byteLength),
    ...payloads.flatMap((payload) => [lengthOf(payload), payload]),
  ]);
}

/** @param frames number of frames of the video */
export function decodeCaptions(bytes: Buffer, frames: number): Captions {
  const ofFrame = new Uint32Array(frames);
  // Copied, because typed arrays must start at a multiple of their element size.
  new Uint8Array(ofFrame.buffer).set(bytes.subarray(0, ofFrame.byteLength));
  const payloads: Buffer[] = [];
  for (let at = ofFrame.byteLength; at < bytes.length;) {
    const start = at + 2;
    at = start + bytes.readUInt16LE(at);
    payloads.push(bytes.subarray(start, at));
  }
  return { payloads, ofFrame };
}
