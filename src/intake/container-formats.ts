/** Random access to the bytes of a file; a read at its end returns fewer bytes. */
export interface Bytes {
  readonly size: number;
  readonly read: (at: number, length: number) => Promise<Buffer>;
}

/** How a container ends: `cut` and `open` say why, as the rest of a sentence that starts with the name of the file. */
export type ContainerEnd =
  { readonly kind: 'closed' } | { readonly kind: 'cut' | 'open'; readonly why: string };

interface EndCheck {
  /** Whether a file that starts like this has the format. */
  readonly matches: (start: Buffer) => boolean;
  readonly check: (bytes: Bytes) => Promise<ContainerEnd>;
}

const CLOSED: ContainerEnd = { kind: 'closed' };
const cut = (why: string): ContainerEnd => ({ kind: 'cut', why });
const open = (why: string): ContainerEnd => ({ kind: 'open', why });
const cutIn = (part: string): ContainerEnd => cut(`is cut off within its ${part}`);

/** The formats that say where they end, recognised by their first bytes. */
export const END_CHECKS: readonly EndCheck[] = [
  { matches: (start) => text(start, 4) === 'ftyp' && text(start, 8) === 'avif', check: endOfAvif },
  { matches: (start) => MP4_STARTS.has(text(start, 4)), check: endOfMp4 },
  { matches: (start) => start.subarray(0, 3).equals(JPEG_START), check: endOfJpeg },
  { matches: (start) => start.subarray(0, 4).equals(EBML), check: endOfMatroska },
  { matches: (start) => text(start, 0) === 'RIFF', check: endOfRiff },
  { matches: (start) => start.subarray(0, 16).equals(ASF_HEADER), check: endOfAsf },
  { matches: (start) => text(start, 0) === 'OggS', check: endOfOgg },
  { matches: (start) => text(start, 0) === 'GIF8', check: (bytes) => endsWith(bytes, GIF_END, 'trailer') },
  {
    matches: (start) => text(start, 1) === 'PNG\r',
    check: (bytes) => endsWith(bytes, PNG_END, 'IEND chunk'),
  },
];

/** Whether the beginning of a file is that of an MPEG transport stream, with or without timestamps before the packets. */
export function isTransportStream(start: Buffer): boolean {
  return [
    [0, 188],
    [4, 192],
  ].some(([at = 0, step = 0]) => start[at] === 0x47 && start[at + step] === 0x47);
}

const MP4_STARTS = new Set(['ftyp', 'styp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot', 'sidx']);
const MOST_PARTS = 10_000;

/** MP4 and QuickTime: a chain of boxes, one of them the index (moov) and one the media data. */
async function endOfMp4(bytes: Bytes): Promise<ContainerEnd> {
  const types = new Set<string>();
  for (let at = 0, parts = 0; at < bytes.size; parts++) {
    const header = await bytes.read(at, 16);
    const type = text(header, 4);
    if (header.length < 8) return cutIn('last box');
    // A fragmented file is a chain of any length; only its random access box marks the end.
    if (type === 'moof') return endOfFragments(bytes);
    const short = header.readUInt32BE(0);
    if (short === 1 && header.length < 16) return cutIn('last box');
    const size = short === 1 ? Number(header.readBigUInt64BE(8)) : short;
    if (size < 8)
      return open(size === 0 ? 'ends with a box of unknown length' : 'has a box of invalid length');
    if (parts === MOST_PARTS) return open('has too many boxes for its end to be found');
    if (at + size > bytes.size) return cutIn(`${printable(type)} box`);
    types.add(type);
    at += size;
  }
  if (!types.has('moov')) return cut('has no index (moov box)');
  return types.has('mdat') ? CLOSED : cut('has no media data (mdat box)');
}

/** AVIF: a chain of boxes as in MP4, with a description (meta) and the image data. */
async function endOfAvif({ size, read }: Bytes): Promise<ContainerEnd> {
  for (let at = 0, parts = 0; at < size; parts++) {
    if (parts === MOST_PARTS) return open('has too many boxes for its end to be found');
    const header = await read(at, 8);
    if (header.length < 8) return cutIn('last box');
    const length = header.readUInt32BE(0);
    if (length < 8) return open('ends with a box of unknown length');
    if (at + length > size) return cutIn(`${printable(text(header, 4))} box`);
    at += length;
  }
  return CLOSED;
}

/** JPEG: an end marker, which may be followed by data of the camera. */
async function endOfJpeg({ size, read }: Bytes): Promise<ContainerEnd> {
  const tail = await read(Math.max(0, size - JPEG_TAIL_BYTES), JPEG_TAIL_BYTES);
  return tail.lastIndexOf(JPEG_END) === -1 ? open('has no end mark in its last 4 kB') : CLOSED;
}

const JPEG_START = Buffer.from('ffd8ff', 'hex');
const JPEG_END = Buffer.from('ffd9', 'hex');
const JPEG_TAIL_BYTES = 4096;

async function endOfFragments({ size, read }: Bytes): Promise<ContainerEnd> {
  const last = await read(size - 16, 16);
  return text(last, 4) === 'mfro' ? CLOSED : open('consists of fragments and has no end mark (mfro box)');
}

const EBML = Buffer.from('1a45dfa3', 'hex');
const SEGMENT = '18538067';

/** Matroska and WebM: the Segment has a size once the file is closed, and none while it is recorded. */
async function endOfMatroska(bytes: Bytes): Promise<ContainerEnd> {
  let hasSegment = false;
  for (let at = 0, parts = 0; at < bytes.size; parts++) {
    const header = await bytes.read(at, 12);
    const id = header.toString('hex', 0, vintLength(header[0]));
    const sizeAt = id.length / 2;
    const size = vint(header.subarray(sizeAt));
    if (size === null) return cut('ends with an incomplete or invalid element');
    if (size === Infinity) return open('has a Segment of unknown length, like a recording in progress');
    const end = at + sizeAt + vintLength(header[sizeAt]) + size;
    if (end > bytes.size) return cutIn(id === SEGMENT ? 'Segment' : 'last element');
    if (parts === MOST_PARTS) break;
    hasSegment ||= id === SEGMENT;
    at = end;
  }
  return hasSegment ? CLOSED : cut('has no Segment');
}

/** Length in bytes of a number of EBML, from its first byte. */
function vintLength(first = 0): number {
  return Math.clz32(first) - 23;
}

/** A size in EBML: Infinity where it is unknown; null where its bytes are missing or invalid. */
function vint(bytes: Buffer): number | null {
  const length = vintLength(bytes[0]);
  if (length > 8 || bytes.length < length) return null;
  const value = BigInt(`0x${bytes.toString('hex', 0, length)}`);
  const all = (1n << BigInt(7 * length)) - 1n;
  return (value & all) === all ? Infinity : Number(value & all);
}

/** AVI: one RIFF chunk, or several in a file above 1 GB. Their sizes are written when the file is closed. */
async function endOfRiff(bytes: Bytes): Promise<ContainerEnd> {
  for (let at = 0, parts = 0; at < bytes.size; parts++) {
    if (parts === MOST_PARTS) return open('has too many chunks for its end to be found');
    const header = await bytes.read(at, 8);
    if (header.length < 8) return cutIn('last chunk');
    const size = header.readUInt32LE(4);
    if (text(header, 0) !== 'RIFF') return open('has other data after its RIFF chunks');
    if (size === 0) return open('ends with a chunk of unknown length');
    if (at + 8 + size > bytes.size) return cutIn('RIFF chunk');
    at += 8 + size + (size % 2);
  }
  return CLOSED;
}

const ASF_HEADER = Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex');
const ASF_DATA = Buffer.from('3626b2758e66cf11a6d900aa0062ce6c', 'hex');

/** ASF and WMV: a chain of objects; the size of the data is unknown in a recording. */
async function endOfAsf(bytes: Bytes): Promise<ContainerEnd> {
  let hasData = false;
  for (let at = 0, parts = 0; at < bytes.size; parts++) {
    const header = await bytes.read(at, 24);
    if (header.length < 24) return cutIn('last object');
    const size = Number(header.readBigUInt64LE(16));
    if (size < 24) return open('ends with an object of unknown length');
    if (parts === MOST_PARTS) return open('has too many objects for its end to be found');
    if (at + size > bytes.size) return cutIn('last object');
    hasData ||= header.subarray(0, 16).equals(ASF_DATA);
    at += size;
  }
  return hasData ? CLOSED : cut('has no media data');
}

const OGG_TAIL_BYTES = 66_000;

/** Ogg: the last page is marked as such, and is complete. */
async function endOfOgg({ size, read }: Bytes): Promise<ContainerEnd> {
  const tail = await read(Math.max(0, size - OGG_TAIL_BYTES), OGG_TAIL_BYTES);
  const page = tail.subarray(Math.max(0, tail.lastIndexOf('OggS')));
  const lacing = page.subarray(27, 27 + (page[26] ?? 0));
  const pageBytes = 27 + (page[26] ?? 0) + lacing.reduce((sum, length) => sum + length, 0);
  if (page.length < pageBytes) return cutIn('last page');
  return ((page[5] ?? 0) & 4) === 4 ? CLOSED : open('ends with a page without the end-of-stream flag');
}

const GIF_END = Buffer.from(';');
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');

async function endsWith({ size, read }: Bytes, end: Buffer, name: string): Promise<ContainerEnd> {
  const tail = await read(size - end.length, end.length);
  return tail.equals(end) ? CLOSED : cut(`does not end with its ${name}`);
}

function text(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + 4);
}

/** A type of four characters as it may be shown. */
function printable(type: string): string {
  return /^[\x20-\x7e]{4}$/.test(type) ? type : 'last';
}
