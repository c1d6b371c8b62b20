import { Document } from 'yaml';
import { counted } from '../../lib/counted.ts';
import { isBusy } from '../../domain/hardware-reason.ts';
import type { HardwareFacts } from './hardware-facts.ts';
import type { SessionFact } from './sessions.ts';

/** A setting derived from hardware facts. */
export interface DetectedSetting {
  readonly key: string;
  readonly value: boolean | number | readonly string[];
  /** Explains the value; written as a comment after it. */
  readonly reason: string;
}

type SettingFacts = Pick<HardwareFacts, 'nvenc' | 'nvdec' | 'vaapi' | 'gpus' | 'machine'>;

/** Derives settings from hardware facts; for unknown facts, defaults apply. */
export function detectSettings(facts: SettingFacts): DetectedSetting[] {
  return [...detectDecoders(facts), ...detectEncoder(facts), ...detectStreams(facts)];
}

/** Hardware that decoded a trial clip, NVDEC first. Jobs still verify the frames that it decodes. */
function detectDecoders({ nvdec, vaapi }: SettingFacts): DetectedSetting[] {
  const tried: [name: string, facts: readonly SessionFact[]][] = [
    ['nvdec', nvdec],
    ['vaapi', vaapi],
  ];
  const works = tried.filter(([, facts]) => facts.some(({ sessions }) => sessions > 0));
  const said = (works.length > 0 ? works : tried).flatMap(([name, facts]) => {
    const fact = facts.find(({ sessions }) => sessions > 0) ?? facts[0];
    return fact === undefined ? [] : [`${name}: ${describeSessions(fact)}`];
  });
  if (said.length === 0) return [];
  return [{ key: 'decoder.hardware', value: works.map(([name]) => name), reason: said.join('; ') }];
}

function detectEncoder(facts: SettingFacts): DetectedSetting[] {
  const working = facts.nvenc.filter(({ sessions }) => sessions > 0);
  const first = facts.nvenc[0];
  if (working.length > 0) {
    const fewest = working.reduce((least, fact) => (fact.sessions < least.sessions ? fact : least));
    return [{ key: 'encoder.sessions', value: fewest.sessions, reason: describeSessions(fewest) }];
  }
  // Sessions used by other programs may be free later, so each job tries.
  if (first?.whyNoMore == null || isBusy(first.whyNoMore)) return [];
  return [{ key: 'encoder.nvenc', value: false, reason: `trial encode failed: ${first.whyNoMore.text}` }];
}

/** Resources that a large job needs. */
const MEMORY_OF_A_STREAM = 4e9;
const VIDEO_MEMORY_OF_A_STREAM = 3e9;
const CORES_OF_A_STREAM = 2;
/** All jobs share one thread for inference; more jobs have not been tested on a GPU. */
const MOST_STREAMS = 4;

/**
 * How many jobs at the same time keep a GPU busy: one job leaves a third of it idle. Without a GPU, one job uses all cores,
 * and the default of one is right (docs/decisions/0033).
 */
function detectStreams({ gpus, nvenc, nvdec, machine }: SettingFacts): DetectedSetting[] {
  const [gpu] = gpus;
  if (gpu === undefined) return [];
  const fewest = (facts: readonly SessionFact[]): number[] => {
    const counts = facts.map(({ sessions }) => sessions).filter((sessions) => sessions > 0);
    return counts.length === 0 ? [] : [Math.min(...counts)];
  };
  const cores = machine.limits.cores ?? machine.cores;
  const memory = machine.limits.memoryBytes ?? machine.memoryBytes;
  const limits: [count: number, what: string][] = [
    [MOST_STREAMS, `the maximum of ${MOST_STREAMS} jobs, because more have not been tested`],
    // Two jobs share a session: while one encodes, the other decodes and infers.
    ...fewest(nvenc).map((count): [number, string] => [
      2 * count,
      `${counted(count, 'NVENC session')}, at 2 jobs per session`,
    ]),
    ...fewest(nvdec).map((count): [number, string] => [count, counted(count, 'NVDEC session')]),
    // Total memory, because free memory changes while this setting is kept for months.
    [gpu.totalBytes / VIDEO_MEMORY_OF_A_STREAM, `${(gpu.totalBytes / 1e9).toFixed(0)} GB of video memory`],
    [memory / MEMORY_OF_A_STREAM, `${(memory / 1e9).toFixed(0)} GB of memory`],
    [cores / CORES_OF_A_STREAM, counted(cores, 'core')],
  ];
  const [tightest] = limits.sort(([a], [b]) => a - b);
  if (tightest === undefined) return [];
  const value = Math.max(1, Math.floor(tightest[0]));
  return [{ key: 'streams.max', value, reason: `limited by ${tightest[1]}` }];
}

/** Describes sessions, such as `2 concurrent sessions of HEVC 3840x2160, 8-bit (one more fails: …)`. */
export function describeSessions({ codec, width, height, bitDepth, ...fact }: SessionFact): string {
  const kind = `${codec === 'h264' ? 'H.264' : 'HEVC'} ${width}x${height}, ${bitDepth}-bit`;
  if (fact.sessions === 0) return `no session available for ${kind}: ${fact.whyNoMore?.text ?? ''}`;
  const sessions = `${counted(fact.sessions, 'concurrent session')} of ${kind}`;
  return fact.whyNoMore === null
    ? `at least ${sessions}`
    : `${sessions} (one more fails: ${fact.whyNoMore.text})`;
}

/** Text of `detected.yaml`. */
export function describeDetected(facts: SettingFacts): string {
  const document = new Document({});
  document.commentBefore =
    ' Settings that the probe chose for this machine, and why. Framekiln rewrites this file when the machine changes and on\n' +
    ' `framekiln doctor --probe`; settings in framekiln.yaml override it.';
  for (const { key, value, reason } of detectSettings(facts)) {
    const node = document.createNode(value, { flow: true });
    // One line, even if the driver printed several.
    node.comment = ` ${reason.replace(/\s+/g, ' ')}`;
    document.setIn(key.split('.'), node);
  }
  return document.toString({ lineWidth: 0 });
}
