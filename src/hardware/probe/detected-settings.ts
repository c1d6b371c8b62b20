import { Document } from 'yaml';
import { isBusyReason } from '../../domain/nvenc-reason.ts';
import type { HardwareFacts } from './probe.ts';
import type { SessionFact } from './sessions.ts';

/** A setting that follows from what was found out. */
export interface DetectedSetting {
  readonly key: string;
  readonly value: boolean | number | string;
  /** For people; it stands beside the value. */
  readonly reason: string;
}

/** The settings that follow from the facts. What is not known is left to the safe defaults. */
export function detectSettings(facts: Pick<HardwareFacts, 'nvenc'>): DetectedSetting[] {
  const working = facts.nvenc.filter(({ sessions }) => sessions > 0);
  const first = facts.nvenc[0];
  if (working.length > 0) {
    const fewest = working.reduce((least, fact) => (fact.sessions < least.sessions ? fact : least));
    return [{ key: 'encoder.sessions', value: fewest.sessions, reason: describeSessions(fewest) }];
  }
  // Sessions that others have now will be free some day: each job tries for itself.
  if (first?.whyNoMore == null || isBusyReason(first.whyNoMore)) return [];
  return [{ key: 'encoder.nvenc', value: false, reason: `a trial encode failed: ${first.whyNoMore}` }];
}

/** Such as `2 of HEVC 3840x2160, 8 bit at once; one more: all NVENC sessions are taken`. */
export function describeSessions({ codec, width, height, bitDepth, ...fact }: SessionFact): string {
  const kind = `${codec === 'h264' ? 'H.264' : 'HEVC'} ${width}x${height}, ${bitDepth} bit`;
  if (fact.sessions === 0) return `none of ${kind}: ${fact.whyNoMore ?? ''}`;
  const more = fact.whyNoMore === null ? 'or more' : `at once; one more: ${fact.whyNoMore}`;
  return `${fact.sessions} of ${kind} ${more}`;
}

/** The text of `detected.yaml`. */
export function describeDetected(facts: Pick<HardwareFacts, 'nvenc'>): string {
  const document = new Document({});
  document.commentBefore =
    ' What the probe chose for this machine, and why. It is written anew when the machine changes, or by\n' +
    ' `framekiln doctor --probe`; what you write into framekiln.yaml goes over it.';
  for (const { key, value, reason } of detectSettings(facts)) {
    const node = document.createNode(value);
    // One line, whatever a driver says.
    node.comment = ` ${reason.replace(/\s+/g, ' ')}`;
    document.setIn(key.split('.'), node);
  }
  return document.toString({ lineWidth: 0 });
}
