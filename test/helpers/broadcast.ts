import { readFileSync, writeFileSync } from 'node:fs';
import { makeClip } from './clips.ts';

const PACKET_BYTES = 188;
const PAYLOAD_BYTES = 184;
/** Where ffmpeg puts the program map and the first timestamp of the video. */
const PMT_PID = 0x1000;
const START_TICKS = 126_000;
const TICKS_PER_SECOND = 90_000;

/** A stream of subtitles in a transport stream, as broadcast in Europe (ETSI EN 300 468, 300 743, 300 472). */
interface SubtitleStream {
  readonly pid: number;
  readonly descriptor: readonly number[];
  /** Contents of the packets of the elementary stream, one for each 0.4 s. */
  readonly contents: readonly Buffer[];
}

const LANGUAGE = Buffer.from('deu');

/** An empty page of DVB subtitles that times out, and the end of the display set. */
const EMPTY_PAGE = [0x0f, 0x10, 0, 1, 0, 2, 5, 0x08, 0x0f, 0x80, 0, 1, 0, 0];
const DVB_SUBTITLES: SubtitleStream = {
  pid: 0x200,
  descriptor: [0x59, 8, ...LANGUAGE, 0x10, 0, 1, 0, 1],
  contents: Array.from({ length: 4 }, () => Buffer.from([0x20, 0x00, ...EMPTY_PAGE, 0xff])),
};

/** Three lines of text, whose contents do not matter here. */
const TELETEXT_LINE = [0x03, 0x2c, 0xf4, 0xe4, ...Buffer.alloc(42, 0x40)];
const TELETEXT: SubtitleStream = {
  pid: 0x201,
  descriptor: [0x56, 5, ...LANGUAGE, 0x10, 0x88],
  contents: Array.from({ length: 4 }, () =>
    Buffer.from([0x10, ...TELETEXT_LINE, ...TELETEXT_LINE, ...TELETEXT_LINE]),
  ),
};

/** Makes a recording of two seconds with DVB subtitles and teletext beside its video and audio. */
export function makeBroadcast(path: string): string {
  makeClip(path);
  const clip = readFileSync(path);
  const streams = [DVB_SUBTITLES, TELETEXT];
  const packets = Array.from({ length: clip.length / PACKET_BYTES }, (_, i) =>
    withStreams(clip.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES), streams),
  );
  const parts = 4;
  const interleaved = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((number) => Math.ceil((packets.length * number) / parts));
    const subtitles = streams.map(({ pid, contents }) =>
      transportPacket(pid, part, contents[part] ?? Buffer.alloc(0)),
    );
    return [...packets.slice(from, to), ...subtitles];
  });
  writeFileSync(path, Buffer.concat(interleaved.flat()));
  return path;
}

/** A packet of the clip; if it contains the program map, with an entry for each of the streams. */
function withStreams(packet: Buffer, streams: readonly SubtitleStream[]): Buffer {
  if ((packet.readUInt16BE(1) & 0x1fff) !== PMT_PID) return packet;
  const section = packet.subarray(5, 5 + 3 + (packet.readUInt16BE(6) & 0xfff) - 4);
  const entries = streams.map(({ pid, descriptor }) =>
    Buffer.from([0x06, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, descriptor.length, ...descriptor]),
  );
  const changed = Buffer.concat([section, ...entries]);
  changed.writeUInt16BE(0xb000 | (changed.length - 3 + 4), 1);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(changed));
  return Buffer.concat([packet.subarray(0, 5), changed, crc, Buffer.alloc(PACKET_BYTES, 0xff)], PACKET_BYTES);
}

/** A packet that contains a whole packet of an elementary stream. */
function transportPacket(pid: number, number: number, content: Buffer): Buffer {
  const ticks = START_TICKS + number * 0.4 * TICKS_PER_SECOND;
  const timestamp = [
    0x21 | ((Math.floor(ticks / 2 ** 30) & 7) << 1),
    (ticks >> 22) & 0xff,
    ((ticks >> 14) & 0xfe) | 1,
    (ticks >> 7) & 0xff,
    ((ticks << 1) & 0xfe) | 1,
  ];
  const header = Buffer.from([0, 0, 1, 0xbd, 0, content.length + 8, 0x84, 0x80, 5, ...timestamp]);
  const stuffing = PAYLOAD_BYTES - header.length - content.length;
  const adaptation = [stuffing - 1, 0, ...Buffer.alloc(stuffing - 2, 0xff)];
  return Buffer.concat([
    Buffer.from([0x47, 0x40 | (pid >> 8), pid & 0xff, 0x30 | number, ...adaptation]),
    header,
    content,
  ]);
}

/** Checksum of sections of a transport stream (ISO/IEC 13818-1, annex A). */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      const isSet = (((crc >>> 31) ^ (byte >> bit)) & 1) === 1;
      crc = (crc << 1) ^ (isSet ? 0x04c11db7 : 0);
    }
  return crc >>> 0;
}
