import type { FrameIndex } from '../index/frame-index.ts';
import type { FieldOrder } from './field-evidence.ts';

/** Filters that carry out the field plan of a source. Frames outside of its runs pass unchanged. */
export function fieldFilters({ fields, pts, timeBase }: FrameIndex): string[] {
  const { treatment, runs } = fields;
  if (treatment === 'none') return [];
  const restored = `settb=${timeBase.num}/${timeBase.den}`;
  if (treatment === 'match-fields') {
    const order = runs[0]?.order ?? 'tff';
    // Without `decimate`, so that every frame keeps its number and its time.
    return [
      `fieldmatch=order=${order}:combmatch=full`,
      `bwdif=mode=send_frame:parity=${order}:deint=interlaced`,
      restored,
    ];
  }
  const orders = (['tff', 'bff'] as const).filter((order) => runs.some((run) => run.order === order));
  const filters = orders.map((order) => {
    const enable = enabledAt(switchTimes({ fields, pts, timeBase }, order));
    return `bwdif=mode=send_frame:parity=${order}:deint=all:enable='${enable}'`;
  });
  return [...filters, restored];
}

/**
 * Times in seconds at which a deinterlacer is switched on and off in turn. It holds each frame back until the next one
 * arrives and looks at the time of that one: so the switches lie one frame later, between two frames.
 */
function switchTimes(
  { fields, pts, timeBase }: Pick<FrameIndex, 'fields' | 'pts' | 'timeBase'>,
  order: FieldOrder,
) {
  const after = (frame: number): number => {
    const [at, next] = [pts[frame] ?? Infinity, pts[frame + 1] ?? Infinity];
    return (((at + next) / 2) * timeBase.num) / timeBase.den;
  };
  return fields.runs
    .filter((run) => run.order === order)
    .flatMap(({ first, end }) => [first === 0 ? -Infinity : after(first), after(end)]);
}

/** Expression of the time `t` that is 1 after an odd number of switches; a binary tree, because there may be many. */
function enabledAt(switches: readonly number[]): string {
  const tree = (low: number, high: number): string => {
    if (low === high) return String(low % 2);
    const middle = (low + high) >> 1;
    const at = switches[middle] ?? 0;
    if (at === -Infinity) return tree(middle + 1, high);
    if (at === Infinity) return tree(low, middle);
    return `if(lt(t,${at.toFixed(6)}),${tree(low, middle)},${tree(middle + 1, high)})`;
  };
  return tree(0, switches.length);
}
