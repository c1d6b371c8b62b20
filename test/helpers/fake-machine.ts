import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface MachinePlay {
  /** The line that nvidia-smi gives: name, driver, compute capability, total and free MiB; `hangs`; null: it is missing. */
  readonly gpu: string | null;
  /** NVENC sessions of the GPU; what is beyond them fails as on a real one. `hangs`: the driver never answers. */
  readonly nvenc: number | 'hangs' | 'too old' | 'no encoder';
  /** Sessions that another program has all the time. */
  readonly takenByOthers?: number;
  /** NVDEC sessions of the GPU. */
  readonly nvdec?: number;
  /** VAAPI sessions of another GPU. */
  readonly vaapi?: number;
  /** What a job's NVDEC does wrong, counted in frames from where it began. */
  readonly nvdecFault?: { readonly kind: 'another image' | 'dies' | 'hangs'; readonly at: number };
  /** After so many segments all others fail in their midst, as when a driver is reset. */
  readonly goodSegments?: number;
}

export interface FakeMachine {
  /** The PATH to use. */
  readonly path: string;
  /** Where the executables are: their processes name it. */
  readonly folder: string;
  /** What happened to sessions, in order: `open`, `close`, `reject`, `break`, each with `trial`, `segment`, `decoder` (a trial), `cuda` or `vaapi` (a job's decoder). */
  readonly events: () => { readonly event: string; readonly use: string; readonly open: number }[];
  /** Another program takes or gives back sessions, from the next one on. */
  readonly takeByOthers: (count: number) => void;
}

export const RTX_4090 = 'NVIDIA GeForce RTX 4090, 550.54, 8.9, 24564, 23000';
export const H200 = 'NVIDIA H200, 550.54, 9.0, 143771, 142000';

const ERRORS = {
  taken: '[h264_nvenc @ 0x55d0] OpenEncodeSessionEx failed: incompatible client key (21): (no details)',
  'too old':
    '[h264_nvenc @ 0x55d0] Driver does not support the required nvenc API version. Required: 12.0 Found: 11.0',
  'no encoder': '[h264_nvenc @ 0x55d0] No capable devices found',
  dies: '[h264 @ 0x55d0] CUDA error: an illegal memory access was encountered',
  'no VAAPI': '[AVHWDeviceContext @ 0x55d0] No VA display found for any default device.',
  decoder: '[h264 @ 0x55d0] Failed setup for format cuda: hwaccel initialisation returned error.',
};

/**
 * Executables `ffmpeg` and `nvidia-smi` that play a machine with a GPU. The encoders of the GPU are played by the
 * real ffmpeg's software, and its sessions are files of which only so many can be made at once.
 */
export function fakeMachine(folder: string, play: MachinePlay): FakeMachine {
  const bin = join(folder, 'bin');
  const slots = join(folder, 'slots');
  const events = join(folder, 'session-events');
  const others = join(folder, 'taken-by-others');
  mkdirSync(bin, { recursive: true });
  mkdirSync(slots);
  writeFileSync(events, '');
  writeFileSync(others, String(play.takenByOthers ?? 0));
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  if (play.gpu !== null) script(join(bin, 'nvidia-smi'), nvidiaSmi(play.gpu));
  script(join(bin, 'ffmpeg'), ffmpegPlay({ play, real, slots, events, others }));
  return {
    folder,
    path: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    events: () =>
      readFileSync(events, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [event = '', use = '', open = ''] = line.split(' ');
          return { event, use, open: Number(open) };
        }),
    takeByOthers: (count) => writeFileSync(others, String(count)),
  };
}

function script(path: string, text: string): void {
  writeFileSync(path, `#!${process.execPath}\n${text}`);
  chmodSync(path, 0o755);
  if (!existsSync(path)) throw new Error(`${path} was not made.`);
}

function nvidiaSmi(gpu: string): string {
  return gpu === 'hangs' ? 'setInterval(() => {}, 1000);' : `console.log(${JSON.stringify(gpu)});`;
}

function ffmpegPlay(stage: {
  play: MachinePlay;
  real: string;
  slots: string;
  events: string;
  others: string;
}): string {
  return `
const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { play, real, slots, events, others } = ${JSON.stringify(stage)};
const ERRORS = ${JSON.stringify(ERRORS)};
const args = process.argv.slice(2);
const at = args.findIndex((arg) => /^(h264|hevc)_nvenc$/.test(arg));
const isTrial = args.includes('lavfi');
const isDecoder = args.includes('-hwaccel');
const accelerator = isDecoder ? args[args.indexOf('-hwaccel') + 1] : '';
const isJob = args.includes('pipe:3');
const use = isDecoder ? (isJob ? accelerator : 'decoder') : isTrial ? 'trial' : 'segment';

const kind = isDecoder ? accelerator : 'e';
const openCount = () => fs.readdirSync(slots).filter((name) => name.startsWith(kind)).length;
const note = (event) => fs.appendFileSync(events, event + ' ' + use + ' ' + openCount() + '\\n');
function reject(why) {
  note('reject');
  process.stdin.resume();
  process.stderr.write(ERRORS[why] + '\\n', () => process.exit(1));
}
/** A session is a file whose name is free; one that its owner did not give back is free, too. */
function openSession(limit) {
  for (let number = 0; number < limit; number++) {
    const path = slots + '/' + kind + number;
    try {
      const owner = Number(fs.readFileSync(path, 'utf8'));
      if (owner > 0) process.kill(owner, 0);
    } catch (error) {
      if (error.code === 'ESRCH') fs.rmSync(path, { force: true });
    }
    try {
      fs.writeFileSync(path, String(process.pid), { flag: 'wx' });
      return path;
    } catch {}
  }
  return null;
}
/** @param fault what follows when the real one is done: it dies or hangs */
function run(session, fault) {
  const child = spawn(real, args, { stdio: ['inherit', 'inherit', 'inherit', 'inherit'] });
  for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => child.kill(name));
  child.on('exit', (code, signal) => {
    if (fault === 'hangs') { setInterval(() => {}, 1000); return; }
    if (session !== null) { fs.rmSync(session, { force: true }); note(fault === 'dies' ? 'break' : 'close'); }
    if (fault === 'dies') process.stderr.write(ERRORS.dies + '\\n', () => process.exit(1));
    else process.exit(code ?? (signal ? 1 : 0));
  });
}

if (at >= 0) {
  const taken = Number(fs.readFileSync(others, 'utf8'));
  const segments = fs.readFileSync(events, 'utf8').split('open segment').length - 1;
  if (play.nvenc === 'hangs') setInterval(() => {}, 1000);
  else if (typeof play.nvenc === 'string') reject(play.nvenc);
  else {
    const session = openSession(play.nvenc - taken);
    if (session === null) reject('taken');
    else {
      note('open');
      if (!isTrial && play.goodSegments !== undefined && segments >= play.goodSegments) {
        process.stdin.resume();
        setTimeout(() => {
          fs.rmSync(session, { force: true });
          note('break');
          process.stderr.write('[h264_nvenc @ 0x55d0] EncodeImage failed!: generic error (20)\\n', () => process.exit(1));
        }, 50);
      } else {
        const tenBit = args.includes('main10');
        const software = args[at] === 'h264_nvenc'
          ? ['libx264', '-preset', 'ultrafast', '-bf', '0', '-profile:v', 'baseline', '-threads', '1']
          : ['libx265', '-preset', 'ultrafast', '-x265-params', 'bframes=0:pools=1:frame-threads=1:log-level=error'];
        // To the end of the GPU's own options: its -b:v 0 in a job's encoding, its preset or profile in the probe's.
        const last = Math.max(at, args.indexOf('p1'), args.indexOf('main10'), args.indexOf('0', at));
        args.splice(at, last - at + 1, ...(isTrial ? ['rawvideo'] : software));
        const format = args.indexOf('-vf') + 1;
        if (tenBit) args[format] = args[format].replaceAll('p010le', 'yuv420p10le');
        run(session);
      }
    }
  }
} else if (isDecoder) {
  const session = openSession((accelerator === 'vaapi' ? play.vaapi : play.nvdec) ?? 0);
  if (session === null) reject(accelerator === 'vaapi' ? 'no VAAPI' : 'decoder');
  else {
    note('open');
    args.splice(args.indexOf('-hwaccel'), 4);
    const fault = isJob && accelerator === 'cuda' ? play.nvdecFault : undefined;
    const wrong = fault?.kind === 'another image' ? 'negate=enable=gte(n\\\\,' + fault.at + '),' : '';
    // A GPU gives its own format; here the software's is made into that, at the same range.
    for (const [i, arg] of args.entries())
      if (arg.startsWith('hwdownload,')) args[i] = arg.replace('hwdownload,', wrong + 'scale=in_range=pc:out_range=pc,');
    const ends = fault !== undefined && wrong === '';
    for (const pipe of ends ? ['pipe:3', 'pipe:1'] : []) args.splice(args.indexOf(pipe), 0, '-frames:v', String(fault.at));
    run(session, ends ? fault.kind : undefined);
  }
} else run(null);
`;
}
