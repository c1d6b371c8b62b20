import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface MachineBehaviour {
  /** Output of nvidia-smi: name, driver, compute capability, total and free MiB; `hangs` when it never answers; null when it is missing. */
  readonly gpu: string | null;
  /** Number of NVENC sessions; further ones fail as on a real GPU. `hangs`: the driver never answers. */
  readonly nvenc: number | 'hangs' | 'too old' | 'no encoder';
  /** Number of sessions that another program holds. */
  readonly takenByOthers?: number;
  /** Number of NVDEC sessions. */
  readonly nvdec?: number;
  /** Number of VAAPI sessions of another GPU. */
  readonly vaapi?: number;
  /** How NVDEC fails in a job; `at` counts frames from where the decoder started. */
  readonly nvdecFault?: { readonly kind: 'another image' | 'dies' | 'hangs'; readonly at: number };
  /** Number of segments after which all others fail while they are encoded, as when a driver is reset. */
  readonly goodSegments?: number;
}

export interface FakeMachine {
  /** PATH with the fake programs in front. */
  readonly path: string;
  /** Folder of the executables, which the command lines of their processes contain. */
  readonly folder: string;
  /** Events of sessions in order: `open`, `close`, `reject` or `break`, each with the use: `trial`, `segment`, `decoder` (a trial), `cuda` or `vaapi` (a decoder of a job). */
  readonly events: () => { readonly event: string; readonly use: string; readonly open: number }[];
  /** Sets how many sessions another program holds from now on. */
  readonly setTakenByOthers: (count: number) => void;
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
 * Executables `ffmpeg` and `nvidia-smi` that simulate a machine with a GPU. The real ffmpeg encodes and decodes on the
 * CPU for them; each session is a file, and the number of files is limited.
 */
export function fakeMachine(folder: string, behaviour: MachineBehaviour): FakeMachine {
  const bin = join(folder, 'bin');
  const sessions = join(folder, 'sessions');
  const events = join(folder, 'session-events');
  const others = join(folder, 'taken-by-others');
  mkdirSync(bin, { recursive: true });
  mkdirSync(sessions);
  writeFileSync(events, '');
  writeFileSync(others, String(behaviour.takenByOthers ?? 0));
  const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
  if (behaviour.gpu !== null) script(join(bin, 'nvidia-smi'), fakeNvidiaSmi(behaviour.gpu));
  script(join(bin, 'ffmpeg'), fakeFfmpeg({ behaviour, real, sessions, events, others }));
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
    setTakenByOthers: (count) => writeFileSync(others, String(count)),
  };
}

function script(path: string, text: string): void {
  writeFileSync(path, `#!${process.execPath}\n${text}`);
  chmodSync(path, 0o755);
}

function fakeNvidiaSmi(gpu: string): string {
  return gpu === 'hangs' ? 'setInterval(() => {}, 1000);' : `console.log(${JSON.stringify(gpu)});`;
}

function fakeFfmpeg(context: {
  behaviour: MachineBehaviour;
  real: string;
  sessions: string;
  events: string;
  others: string;
}): string {
  return `
const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { behaviour, real, sessions, events, others } = ${JSON.stringify(context)};
const ERRORS = ${JSON.stringify(ERRORS)};
const args = process.argv.slice(2);
const at = args.findIndex((arg) => /^(h264|hevc)_nvenc$/.test(arg));
const isTrial = args.includes('lavfi');
const isDecoder = args.includes('-hwaccel');
const accelerator = isDecoder ? args[args.indexOf('-hwaccel') + 1] : '';
const isJob = args.includes('pipe:3');
const use = isDecoder ? (isJob ? accelerator : 'decoder') : isTrial ? 'trial' : 'segment';

const kind = isDecoder ? accelerator : 'e';
const openCount = () => fs.readdirSync(sessions).filter((name) => name.startsWith(kind)).length;
const note = (event) => fs.appendFileSync(events, event + ' ' + use + ' ' + openCount() + '\\n');
function reject(why) {
  note('reject');
  process.stdin.resume();
  process.stderr.write(ERRORS[why] + '\\n', () => process.exit(1));
}
/** Creates the file of a free session. A session whose owner has died is free as well. */
function openSession(limit) {
  for (let number = 0; number < limit; number++) {
    const path = sessions + '/' + kind + number;
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
/** @param fault what the program does after the real ffmpeg has ended: it dies or hangs */
function run(session, fault) {
  const pipes = args.map((arg) => Number(/^pipe:(\\d+)$/.exec(arg)?.[1] ?? 0));
  const child = spawn(real, args, { stdio: Array(Math.max(3, ...pipes) + 1).fill('inherit') });
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
  if (behaviour.nvenc === 'hangs') setInterval(() => {}, 1000);
  else if (typeof behaviour.nvenc === 'string') reject(behaviour.nvenc);
  else {
    const session = openSession(behaviour.nvenc - taken);
    if (session === null) reject('taken');
    else {
      note('open');
      if (!isTrial && behaviour.goodSegments !== undefined && segments >= behaviour.goodSegments) {
        process.stdin.resume();
        setTimeout(() => {
          fs.rmSync(session, { force: true });
          note('break');
          process.stderr.write('[h264_nvenc @ 0x55d0] EncodePicture failed!: generic error (20)\\n', () => process.exit(1));
        }, 50);
      } else {
        const tenBit = args.includes('main10');
        const software = args[at] === 'h264_nvenc'
          ? ['libx264', '-preset', 'ultrafast', '-bf', '0', '-profile:v', 'baseline', '-threads', '1']
          : ['libx265', '-preset', 'ultrafast', '-x265-params', 'bframes=0:pools=1:frame-threads=1:log-level=error'];
        // The options of NVENC end with -b:v 0 in a job, and with the preset or profile in the probe.
        const last = Math.max(at, args.indexOf('p1'), args.indexOf('main10'), args.indexOf('0', at));
        args.splice(at, last - at + 1, ...(isTrial ? ['rawvideo'] : software));
        const format = args.indexOf('-vf') + 1;
        if (tenBit) args[format] = args[format].replaceAll('p010le', 'yuv420p10le');
        run(session);
      }
    }
  }
} else if (isDecoder) {
  const session = openSession((accelerator === 'vaapi' ? behaviour.vaapi : behaviour.nvdec) ?? 0);
  if (session === null) reject(accelerator === 'vaapi' ? 'no VAAPI' : 'decoder');
  else {
    note('open');
    args.splice(args.indexOf('-hwaccel'), 4);
    const fault = isJob && accelerator === 'cuda' ? behaviour.nvdecFault : undefined;
    const wrong = fault?.kind === 'another image' ? 'negate=enable=gte(n\\\\,' + fault.at + '),' : '';
    // A GPU returns frames in its own format; here the software format is converted to it, at the same range.
    for (const [i, arg] of args.entries())
      if (arg.startsWith('hwdownload,')) args[i] = arg.replace('hwdownload,', wrong + 'scale=in_range=pc:out_range=pc,');
    const ends = fault !== undefined && wrong === '';
    for (const pipe of ends ? ['pipe:3', 'pipe:1'] : []) args.splice(args.indexOf(pipe), 0, '-frames:v', String(fault.at));
    run(session, ends ? fault.kind : undefined);
  }
} else run(null);
`;
}
