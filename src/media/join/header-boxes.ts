import type { HdrMetadata, SpatialLayout } from '../../domain/media-info.ts';

/** What the header of a video says about it that encoders of ffmpeg do not write, or not all of them. */
export interface HeaderMetadata {
  readonly spatial: SpatialLayout | null;
  readonly hdr: HdrMetadata | null;
}

/**
 * Adds metadata to the first track of a `moov` box, from where ffmpeg copies them.
 *
 * Sources of the box formats: Spherical Video V2 RFC of Google, sections `st3d` and `sv3d`; ISO/IEC 14496-12
 * (`mdcv`, `clli`).
 */
export function withHeaderBoxes(moov: Buffer, { spatial, hdr }: HeaderMetadata): Buffer {
  const boxes = [...(spatial === null ? [] : spatialBoxes(spatial)), ...(hdr === null ? [] : hdrBoxes(hdr))];
  return boxes.length === 0 ? moov : withSampleEntryBoxes(moov, boxes);
}

/** Adds boxes to the description of the first track of a `moov` box. */
export function withSampleEntryBoxes(moov: Buffer, boxes: readonly Buffer[]): Buffer {
  return append(moov, SAMPLE_ENTRY, Buffer.concat(boxes));
}

/** Types of the boxes from `moov` to the description of the video; null for the first box of any type. */
const SAMPLE_ENTRY: readonly (string | null)[] = ['trak', 'mdia', 'minf', 'stbl', 'stsd', null];

function spatialBoxes({ stereo, spherical }: SpatialLayout): Buffer[] {
  return [
    ...(stereo === null ? [] : [fullBox('st3d', Buffer.from([stereo === 'top and bottom' ? 1 : 2]))]),
    ...(spherical === null ? [] : [sphereBox(spherical)]),
  ];
}

function hdrBoxes({ mastering, lightLevel }: HdrMetadata): Buffer[] {
  const boxes: Buffer[] = [];
  if (mastering !== null) {
    const { red, green, blue, white, maxLuminance, minLuminance } = mastering;
    const bytes = Buffer.alloc(24);
    for (const [i, value] of [...green, ...blue, ...red, ...white].entries())
      bytes.writeUInt16BE(clamp(value, 0xffff), 2 * i);
    bytes.writeUInt32BE(clamp(maxLuminance, 0xffff_ffff), 16);
    bytes.writeUInt32BE(clamp(minLuminance, 0xffff_ffff), 20);
    boxes.push(box('mdcv', bytes));
  }
  if (lightLevel !== null) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt16BE(clamp(lightLevel.maxContent, 0xffff), 0);
    bytes.writeUInt16BE(clamp(lightLevel.maxAverage, 0xffff), 2);
    boxes.push(box('clli', bytes));
  }
  return boxes;
}

/** Brings a value of an untrusted file into the range of its field. */
function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(Math.round(value), most));
}

function sphereBox({ yaw, pitch, roll, ...bounds }: NonNullable<SpatialLayout['spherical']>): Buffer {
  const pose = Buffer.alloc(12);
  for (const [i, degrees] of [yaw, pitch, roll].entries())
    pose.writeInt32BE(Math.round(degrees * 65_536), 4 * i);
  const edges = Buffer.alloc(16);
  for (const [i, part] of [bounds.top, bounds.bottom, bounds.left, bounds.right].entries())
    edges.writeUInt32BE(part, 4 * i);
  const projection = box('proj', fullBox('prhd', pose), fullBox('equi', edges));
  return box('sv3d', fullBox('svhd', Buffer.from('\0')), projection);
}

/** Appends bytes to the box that a path leads to, and corrects the sizes of all boxes around it. */
function append(whole: Buffer, [type, ...path]: readonly (string | null)[], bytes: Buffer): Buffer {
  if (type === undefined) return box(typeOf(whole), whole.subarray(8), bytes);
  const parts: Buffer[] = [];
  let isFound = false;
  // Sample descriptions begin with a version and a count.
  const header = typeOf(whole) === 'stsd' ? 16 : 8;
  for (let at = header; at + 8 <= whole.length;) {
    const child: Buffer = whole.subarray(at, at + Math.max(8, whole.readUInt32BE(at)));
    const isNext: boolean = !isFound && (type === null || typeOf(child) === type);
    parts.push(isNext ? append(child, path, bytes) : child);
    isFound ||= isNext;
    at += child.length;
  }
  return box(typeOf(whole), whole.subarray(8, header), ...parts);
}

function typeOf(bytes: Buffer): string {
  return bytes.toString('latin1', 4, 8);
}

function fullBox(type: string, ...contents: readonly Buffer[]): Buffer {
  return box(type, Buffer.alloc(4), ...contents);
}

/** A box of an MP4 file. */
export function box(type: string, ...contents: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + contents.reduce((sum, { length }) => sum + length, 0), 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...contents]);
}
