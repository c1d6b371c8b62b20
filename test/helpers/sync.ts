import { execFileSync, spawnSync } from 'node:child_process';
import { ffmpeg } from './clips.ts';

const IMAGE = `color=c=black:s=64x48:r=25:d=3,drawbox=c=white:t=fill:enable='eq(n,25)'`;
const SOUND = `aevalsrc='if(between(t,1.016,1.024),sin(2*PI*2000*t),0.02*sin(2*PI*300*t))':s=48000:d=3`;

/** Makes a clip of three seconds whose image flashes after 1 s and whose audio clicks after 1.02 s. */
export function makeFlashAndClick(path: string, audio: readonly string[]): string {
  ffmpeg(
    ...['-f', 'lavfi', '-i', IMAGE, '-f', 'lavfi', '-i', SOUND],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p'],
    ...[...audio, '-movie_timescale', '1000', path],
  );
  return path;
}

/** What a player gets from a file, in milliseconds. */
export interface Heard {
  /** From the flash to the click. */
  readonly click: number;
  /** From the first frame to the first and last sample. */
  readonly start: number;
  readonly end: number;
  /** How much is heard in total. */
  readonly length: number;
}

/** Decodes a file completely and finds its flash and its click. */
export function hear(path: string): Heard {
  const image = decode(path, '0:v:0', 'scale=1:1,format=gray,showinfo', 'rawvideo');
  const times = [...image.log.matchAll(/ pts_time:(-?[\d.]+)/g)].map(([, at]) => Number(at));
  const flash = times[image.bytes.findIndex((level) => level > 150)] ?? NaN;
  const first = times[0] ?? NaN;

  const sound = decode(path, '0:a:0', 'aformat=sample_fmts=s16:channel_layouts=mono,ashowinfo', 's16le');
  const frames = [...sound.log.matchAll(/ pts_time:(\S+) .*?rate:(\d+) nb_samples:(\d+)/g)].map(
    ([, at, rate, samples]) => ({ at: Number(at), rate: Number(rate), samples: Number(samples) }),
  );
  let [number, energy, moment] = [0, 0, 0];
  for (const { at, rate, samples } of frames)
    for (let i = 0; i < samples; i++, number++) {
      const level = sound.bytes.readInt16LE(2 * number);
      // The tone under the click is far quieter.
      if (Math.abs(level) < 6000) continue;
      energy += level ** 2;
      moment += level ** 2 * (at + i / rate);
    }
  const last = frames.at(-1) ?? { at: NaN, rate: 1, samples: 0 };
  return {
    click: 1000 * (moment / energy - flash),
    start: 1000 * ((frames[0]?.at ?? NaN) - first),
    end: 1000 * (last.at + last.samples / last.rate - first),
    length: (1000 * number) / last.rate,
  };
}

function decode(path: string, stream: string, filter: string, format: string) {
  const args = ['-copyts', '-i', path, '-map', stream, `-filter:${stream.charAt(2)}`, filter];
  const passthrough = ['-fps_mode', 'passthrough', '-f', format, '-'];
  const { stdout, stderr } = spawnSync('ffmpeg', ['-hide_banner', '-nostdin', ...args, ...passthrough], {
    maxBuffer: 1 << 26,
  });
  return { bytes: stdout, log: stderr.toString() };
}

/** An entry of an edit list: how many milliseconds are shown, from this time of the media on; null for a pause. */
export type Edit = readonly [duration: number, from: number | null];

/** Replaces the edit list of a track of an MP4 or MOV file whose header is at its end. */
export function withEdits(
  file: Buffer,
  track: 0 | 1,
  mediaTimescale: number,
  edits: readonly Edit[],
): Buffer {
  const list = Buffer.alloc(8 + 12 * edits.length);
  list.writeUInt32BE(edits.length, 4);
  for (const [i, [duration, from]] of edits.entries()) {
    list.writeUInt32BE(duration, 8 + 12 * i);
    list.writeInt32BE(from === null ? -1 : Math.round((from * mediaTimescale) / 1000), 12 + 12 * i);
    list.writeInt16BE(1, 16 + 12 * i);
  }
  let number = 0;
  return Buffer.concat(
    boxes(file).map((moov) => {
      if (moov.type !== 'moov') return moov.bytes;
      const parts = boxes(moov.bytes.subarray(8)).map((trak) => {
        if (trak.type !== 'trak' || number++ !== track) return trak.bytes;
        const [header, ...rest] = boxes(trak.bytes.subarray(8)).filter(({ type }) => type !== 'edts');
        const edits = box('edts', box('elst', list));
        return box('trak', header?.bytes ?? Buffer.alloc(0), edits, ...rest.map(({ bytes }) => bytes));
      });
      return box('moov', ...parts);
    }),
  );
}

function boxes(bytes: Buffer): { type: string; bytes: Buffer }[] {
  const found = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at))
    found.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      bytes: bytes.subarray(at, at + bytes.readUInt32BE(at)),
    });
  return found;
}

function box(type: string, ...contents: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + contents.reduce((sum, { length }) => sum + length, 0), 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...contents]);
}

/** Names of the codecs of the audio tracks of a file. */
export function audioCodecs(path: string): string[] {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'a',
    '-show_entries',
    'stream=codec_name',
    '-of',
    'csv=p=0',
  ];
  return execFileSync('ffprobe', [...args, path], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}
