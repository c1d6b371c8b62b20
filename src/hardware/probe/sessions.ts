import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hardwareReason,
  reasonFromStderr,
  type HardwareReason,
  type HardwareReasonCode,
} from '../../domain/hardware-reason.ts';
import { runProbe, startProbe } from './run-probe.ts';

/** How many sessions of one kind can be open at the same time. */
export interface SessionFact {
  readonly codec: 'h264' | 'hevc';
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 8 | 10;
  readonly sessions: number;
  /** Why one more session failed; null if as many as Framekiln would ever use can be open. */
  readonly whyNoMore: HardwareReason | null;
}

type Kind = Pick<SessionFact, 'codec' | 'width' | 'height' | 'bitDepth'>;

/** The largest number of sessions that is tried; Framekiln needs no more, and consumer GPUs allow 2 to 12. */
const MOST_SESSIONS = 12;
const TIMEOUT_MS = 15_000;

const FULL_HD = { width: 1920, height: 1080 };
const UHD = { width: 3840, height: 2160 };
const ENCODED: readonly Kind[] = [
  { codec: 'h264', ...FULL_HD, bitDepth: 8 },
  { codec: 'h264', ...UHD, bitDepth: 8 },
  { codec: 'hevc', ...UHD, bitDepth: 8 },
  { codec: 'hevc', ...UHD, bitDepth: 10 },
];
const DECODED: readonly Kind[] = [
  { codec: 'h264', ...FULL_HD, bitDepth: 8 },
  { codec: 'hevc', ...UHD, bitDepth: 10 },
];

/** Reasons that hold for every codec and size. A driver that hung once would hang again, for many seconds each time. */
const FOR_ALL_KINDS: ReadonlySet<HardwareReasonCode> = new Set<HardwareReasonCode>([
  'driver-silent',
  'driver-too-old',
  'no-gpu',
]);

const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error'];
/** Ends a trial whose parent process was killed: nothing else would close its session. */
const LIFETIME = ['-t', String((2 * TIMEOUT_MS) / 1000)];
const TELL_PROGRESS = ['-progress', 'pipe:1', '-stats_period', '0.1'];

/** Counts NVENC sessions by opening them, for each codec, size and bit depth that jobs may ask for. */
export async function countEncoders(): Promise<SessionFact[]> {
  return countKinds(ENCODED, (kind) => Promise.resolve(encodeArguments(kind)));
}

/** Counts the decoders of a GPU by opening them, on clips that the CPU encodes first. */
export async function countDecoders(accelerator: 'cuda' | 'vaapi'): Promise<SessionFact[]> {
  const folder = await mkdtemp(join(tmpdir(), 'framekiln-probe-'));
  try {
    return await countKinds(DECODED, async (kind) => {
      const clip = join(folder, `${kind.codec}.mp4`);
      await runProbe('ffmpeg', clipArguments(kind, clip), TIMEOUT_MS);
      return decodeArguments(kind, clip, accelerator);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function countKinds(
  kinds: readonly Kind[],
  argumentsFor: (kind: Kind) => Promise<string[]>,
): Promise<SessionFact[]> {
  const facts: SessionFact[] = [];
  for (const kind of kinds) {
    const args = await argumentsFor(kind);
    // One first: without a GPU, there is no need for a dozen failures.
    const first = await openAtOnce(args, 1);
    const count = first.sessions === 0 ? first : await openAtOnce(args, MOST_SESSIONS);
    facts.push({ ...kind, ...count });
    if (count.whyNoMore !== null && FOR_ALL_KINDS.has(count.whyNoMore.code)) break;
  }
  return facts;
}

/** Opens several sessions, keeps them open until each has coded a frame or failed, then closes all. */
async function openAtOnce(
  args: readonly string[],
  requested: number,
): Promise<Pick<SessionFact, 'sessions' | 'whyNoMore'>> {
  const probes = Array.from({ length: requested }, () => startProbe('ffmpeg', args, TIMEOUT_MS));
  const opened = await Promise.all(probes.map((probe) => probe.saw(/^frame=\s*[1-9]/m)));
  const ends = await Promise.all(probes.map((probe) => probe.end()));
  const sessions = opened.filter(Boolean).length;
  const failed = ends.find((_, i) => opened[i] === false);
  if (failed === undefined) return { sessions, whyNoMore: null };
  const whyNoMore =
    failed.outcome === 'timeout'
      ? hardwareReason('driver-silent')
      : reasonFromStderr(failed.stderr, `ffmpeg failed with exit code ${String(failed.exitCode)}`);
  return { sessions, whyNoMore };
}

/** Generated images in real time, so that a session stays open while others are opened. */
function images({ width, height }: Kind): string[] {
  return ['-re', ...LIFETIME, '-f', 'lavfi', '-i', `color=size=${width}x${height}:rate=25`];
}

function encodeArguments(kind: Kind): string[] {
  const tenBit = kind.bitDepth === 10;
  return [
    ...[...QUIET, ...TELL_PROGRESS, ...images(kind), '-vf', `format=${tenBit ? 'p010le' : 'yuv420p'}`],
    ...['-c:v', `${kind.codec}_nvenc`, '-preset', 'p1', ...(tenBit ? ['-profile:v', 'main10'] : [])],
    ...['-f', 'null', '-'],
  ];
}

function clipArguments({ codec, width, height, bitDepth }: Kind, clip: string): string[] {
  const encoder = codec === 'h264' ? ['libx264'] : ['libx265', '-x265-params', 'log-level=error'];
  return [
    ...[...QUIET, '-f', 'lavfi', '-i', `color=size=${width}x${height}:rate=25`, '-frames:v', '10'],
    ...['-vf', `format=${bitDepth === 10 ? 'yuv420p10le' : 'yuv420p'}`, '-c:v', ...encoder],
    ...['-preset', 'ultrafast', '-y', clip],
  ];
}

/** With `hwdownload`, ffmpeg fails instead of silently decoding on the CPU if the GPU cannot decode the clip. */
function decodeArguments({ bitDepth }: Kind, clip: string, accelerator: string): string[] {
  return [
    ...[...QUIET, ...TELL_PROGRESS, '-re', '-stream_loop', '-1', ...LIFETIME],
    ...['-hwaccel', accelerator, '-hwaccel_output_format', accelerator, '-i', clip],
    ...['-vf', `hwdownload,format=${bitDepth === 10 ? 'p010le' : 'nv12'}`, '-f', 'null', '-'],
  ];
}
