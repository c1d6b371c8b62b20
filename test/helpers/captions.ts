import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ffmpeg, makeClip } from './clips.ts';

/** Characters and control codes of CEA-608, two at a time, with odd parity. */
function pair(first: number, second: number): [number, number] {
  const withParity = (bits: number): number => {
    let ones = 0;
    for (let rest = bits; rest > 0; rest >>= 1) ones += rest & 1;
    return ones % 2 === 0 ? bits | 0x80 : bits;
  };
  return [withParity(first), withParity(second)];
}

/** Two frames each, as control codes are sent twice. */
const twice = (first: number, second: number): [number, number][] => [
  pair(first, second),
  pair(first, second),
];

/** The pairs that load a text of an even length, show it and, after 20 frames, erase it. */
function popOn(text: string): [number, number][] {
  const characters: [number, number][] = [];
  for (let i = 0; i < text.length; i += 2) characters.push(pair(text.charCodeAt(i), text.charCodeAt(i + 1)));
  const padding = Array.from({ length: 20 }, () => pair(0, 0));
  return [
    ...[...twice(0x14, 0x20), ...twice(0x14, 0x70), ...characters],
    ...[...twice(0x14, 0x2f), ...padding, ...twice(0x14, 0x2c)],
  ];
}

/**
 * `cc_data` for each frame: the texts one after the other in the first field, padding in the second, and, like a broadcast,
 * bytes of CEA-708, here a counter.
 */
function payloads(texts: readonly string[], frames: number): Buffer[] {
  const pairs = texts.flatMap((text) => popOn(text));
  return Array.from({ length: frames }, (_, frame) => {
    const [first, second] = pairs[frame] ?? pair(0, 0);
    return Buffer.from([0xfc, first, second, 0xfd, 0x80, 0x80, 0xff, 0, 0, 0xfe, frame % 4, 0]);
  });
}

/** In hexadecimal, because an expression must not contain control characters; the look-behind keeps to whole bytes. */
const escaped = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString('hex').replaceAll(/(?<=^(?:..)*)0000(?=0[0-3])/g, '000003'), 'hex');

const START_CODE = Buffer.from([0, 0, 1]);

/** Adds a SEI message with captions before every slice of a byte stream with one slice a frame. */
function addCaptions(stream: Buffer, isHevc: boolean, ofFrame: readonly Buffer[]): Buffer {
  const starts: number[] = [];
  for (let at = stream.indexOf(START_CODE); at >= 0; at = stream.indexOf(START_CODE, at + 3)) starts.push(at);
  let frame = 0;
  return Buffer.concat(
    starts.flatMap((start, i) => {
      const unit = stream.subarray(start, starts[i + 1]);
      const first = unit[3] ?? 0;
      const isSlice = isHevc ? ((first >> 1) & 0x3f) < 32 : [1, 5].includes(first & 0x1f);
      const payload = isSlice ? ofFrame[frame++] : undefined;
      if (payload === undefined) return [unit];
      const message = [0xb5, 0x00, 0x31, ...Buffer.from('GA94'), 0x03, 0x40 | (payload.length / 3), 0xff];
      const size = message.length + payload.length + 1;
      const sei = escaped(Buffer.from([4, size, ...message, ...payload, 0xff, 0x80]));
      return [Buffer.from([0, 0, 1]), Buffer.from(isHevc ? [0x4e, 1] : [6]), sei, unit];
    }),
  );
}

export interface CaptionedClip {
  /** Shown one after the other; each has an even number of characters. */
  readonly texts: readonly string[];
  readonly codec: 'h264' | 'hevc' | 'mpeg2video';
  readonly frames?: number;
  readonly rate?: string;
  readonly audio?: boolean;
}

/** Makes a clip whose frames carry captions. H.264 and MPEG-2 are stored in another order than shown. */
export function makeCaptionedClip(path: string, request: CaptionedClip): string {
  const { texts, codec, frames = 90, rate = '30000/1001', audio = true } = request;
  const isHevc = codec === 'hevc';
  const stream = `${path}.${isHevc ? 'hevc' : 'h264'}`;
  const encoder = isHevc
    ? '-c:v libx265 -preset ultrafast -x265-params bframes=0:log-level=error'
    : '-c:v libx264 -preset ultrafast -bf 0 -threads 1';
  makeClip(stream, { frames, rate, audio: false, encoder: encoder.split(' ') });
  writeFileSync(stream, addCaptions(readFileSync(stream), isHevc, payloads(texts, frames)));
  const again = {
    h264: '-c:v libx264 -preset veryfast -g 30 -bf 3 -b_strategy 0',
    hevc: '-c:v copy',
    mpeg2video: '-c:v mpeg2video -qscale:v 3 -bf 2',
  }[codec];
  const tone = audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440', '-shortest', '-c:a', 'aac'] : [];
  ffmpeg('-r', rate, '-i', stream, ...tone, ...again.split(' '), path);
  rmSync(stream);
  return path;
}

/** The captions of a clip at 29.97 fps as ffmpeg shows them: text, and times as frame numbers. */
export function captionText(path: string): string {
  const input = ['-f', 'lavfi', '-i', `movie=${path}[out0+subcc]`, '-map', '0:s'];
  const text = ffmpeg(...input, '-c:s', 'srt', '-f', 'srt', '-');
  return text.replaceAll(/(\d\d):(\d\d):(\d\d),(\d{3})/g, (_, ...parts: string[]) => {
    const [hours = 0, minutes = 0, seconds = 0, ms = 0] = parts.map(Number);
    return String(frameOf((hours * 60 + minutes) * 60 + seconds + ms / 1000));
  });
}

const frameOf = (seconds: number): number => Math.round((seconds * 30_000) / 1001);

/** For each frame with captions of a clip at 29.97 fps: its number since the first of them, and a hash of the captions. */
export function captionData(path: string): string[] {
  const show = ['-show_packets', '-show_data_hash', 'md5', '-show_entries', 'packet=pts_time,data_hash'];
  const args = ['-v', 'error', '-f', 'lavfi', '-select_streams', 's', ...show, '-of', 'csv=p=0'];
  const text = execFileSync('ffprobe', [...args, `movie=${path}[out0+subcc]`], { encoding: 'utf8' });
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const start = Number(lines[0]?.[0]);
  return lines.map(([time, hash]) => `${frameOf(Number(time) - start)} ${hash ?? ''}`);
}
