import { Document } from 'yaml';
import { isBusy } from '../../domain/hardware-reason.ts';
import type { HardwareFacts } from './hardware-facts.ts';
import type { SessionFact } from './sessions.ts';

/** A setting that follows from what was found out. */
export interface DetectedSetting {
  readonly key: string;
  readonly value: boolean | number | readonly string[];
  /** For people; it stands beside the value. */
  readonly reason: string;
}

type SettingFacts = Pick<HardwareFacts, 'nvenc' | 'nvdec' | 'vaapi' | 'gpus' | 'machine'>;

/** The settings that follow from the facts. What is not known is left to the safe defaults. */
export function detectSettings(facts: SettingFacts): DetectedSetting[] {
  return [...detectDecoders(facts), ...detectEncoder(facts), ...detectStreams(facts)];
}

/** The hardware that decoded a trial clip, NVDEC first. Jobs trust none of it further than its frames go. */
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
  // Sessions that others have now will be free some day: each job tries for itself.
  if (first?.whyNoMore == null || isBusy(first.whyNoMore)) return [];
  return [{ key: 'encoder.nvenc', value: false, reason: `trial encode failed: ${first.whyNoMore.text}` }];
}

/** What a job at full size takes of each. */
const MEMORY_OF_A_STREAM = 4e9;
const VIDEO_MEMORY_OF_A_STREAM = 3e9;
const CORES_OF_A_STREAM = 2;
/** All of them share one thread for their pixels; more have not been tried on a GPU. */
const MOST_STREAMS = 4;

/**
 * How many jobs at once keep a GPU busy: one leaves a third of it idle. Without a GPU models use all cores for one
 * job, and the safe default of one is right (docs/decisions/0033).
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
    [MOST_STREAMS, `more than ${MOST_STREAMS} have not been tried`],
    // Two jobs take turns on a session: while one encodes, the other decodes and infers.
    ...fewest(nvenc).map((count): [number, string] => [2 * count, `${count} NVENC sessions, twice`]),
    ...fewest(nvdec).map((count): [number, string] => [count, `${count} NVDEC sessions`]),
    // Not what is free: that is of this moment, and the answer is kept for months.
    [gpu.totalBytes / VIDEO_MEMORY_OF_A_STREAM, `${(gpu.totalBytes / 1e9).toFixed(0)} GB of video memory`],
    [memory / MEMORY_OF_A_STREAM, `${(memory / 1e9).toFixed(0)} GB of memory`],
    [cores / CORES_OF_A_STREAM, `${cores} cores`],
  ];
  const [tightest] = limits.sort(([a], [b]) => a - b);
  if (tightest === undefined) return [];
  const value = Math.max(1, Math.floor(tightest[0]));
  return [{ key: 'streams.max', value, reason: `the tightest limit: ${tightest[1]}` }];
}

/** Such as `2 of HEVC 3840x2160, 8 bit at once; one more: all NVENC sessions are taken`. */
export function describeSessions({ codec, width, height, bitDepth, ...fact }: SessionFact): string {
  const kind = `${codec === 'h264' ? 'H.264' : 'HEVC'} ${width}x${height}, ${bitDepth} bit`;
  if (fact.sessions === 0) return `none of ${kind}: ${fact.whyNoMore?.text ?? ''}`;
  const more = fact.whyNoMore === null ? 'or more' : `at once; one more: ${fact.whyNoMore.text}`;
  return `${fact.sessions} of ${kind} ${more}`;
}

/** The text of `detected.yaml`. */
export function describeDetected(facts: SettingFacts): string {
  const document = new Document({});
  document.commentBefore =
    ' What the probe chose for this machine, and why. It is written anew when the machine changes, or by\n' +
    ' `framekiln doctor --probe`; what you write into framekiln.yaml goes over it.';
  for (const { key, value, reason } of detectSettings(facts)) {
    const node = document.createNode(value, { flow: true });
    // One line, whatever a driver says.
    node.comment = ` ${reason.replace(/\s+/g, ' ')}`;
    document.setIn(key.split('.'), node);
  }
  return document.toString({ lineWidth: 0 });
}
