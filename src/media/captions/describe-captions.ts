import { counted } from '../../lib/counted.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** What a byte triplet of `cc_data` contains (ATSC A/53 part 4). */
type Standard = 'CEA-608' | 'CEA-708';

/** Describes the closed captions that the finished video keeps: sentences without a full stop. */
export function describeCaptions({ captions }: Pick<FrameIndex, 'captions'>): string[] {
  if (captions === null) return [];
  const standardsOf = captions.payloads.map(standardsIn);
  const counts = (['CEA-608', 'CEA-708'] as const).map((standard) => {
    const count = captions.ofFrame.filter((number) => standardsOf[number - 1]?.has(standard)).length;
    return { standard, count };
  });
  const found = counts
    .filter(({ count }) => count > 0)
    .map(({ standard, count }) => `${standard} in ${counted(count, 'frame')}`);
  return [`closed captions kept: ${found.length === 0 ? 'all of them empty' : found.join(', ')}`];
}

/** The standards of the data in a payload, without padding. */
function standardsIn(payload: Buffer): ReadonlySet<Standard> {
  const standards = new Set<Standard>();
  for (let at = 0; at + 3 <= payload.length; at += 3) {
    const [flags = 0, first = 0, second = 0] = payload.subarray(at, at + 3);
    const isValid = (flags & 0x04) !== 0;
    if (!isValid) continue;
    if ((flags & 0x02) !== 0) standards.add('CEA-708');
    // The highest bit of a character of CEA-608 is its parity.
    else if (((first | second) & 0x7f) !== 0) standards.add('CEA-608');
  }
  return standards;
}
