import fc from 'fast-check';
import { SCALES } from './contents.ts';

/** Folders below `input/`; the first has no recipe of its own. */
export const FOLDERS = ['', 'lanczos-2x', 'lanczos-2x/trip', 'lanczos-3x'] as const;
/** Few names, so that walks often use one twice. */
export const STEMS = ['GOPR0001', 'clip'] as const;

/** What a person or a machine does. Numbers choose among what is there at that moment, modulo its count. */
export type Step =
  | {
      readonly kind: 'drop';
      how: 'copy' | 'rename' | 'slowly';
      content: number;
      folder: string;
      stem: string;
    }
  | { readonly kind: 'finish-copy' }
  | { readonly kind: 'replace'; how: 'in place' | 'by rename'; file: number; content: number }
  | { readonly kind: 'rename'; file: number; folder: string; stem: string }
  | { readonly kind: 'delete'; file: number }
  | { readonly kind: 'sidecar'; file: number; scale: number | null }
  | { readonly kind: 'foreign'; content: number; isVideo: boolean; folder: string; stem: string }
  | { readonly kind: 'edit-output' | 'delete-output'; file: number }
  | { readonly kind: 'pause' | 'resume'; job: number | null }
  | { readonly kind: 'cancel' | 'retry'; job: number }
  | { readonly kind: 'add' | 'run'; content: number; folder: 'A' | 'B'; stem: string; scale: number }
  | { readonly kind: 'kill' | 'stop' | 'start' | 'settle' }
  | { readonly kind: 'wait'; ms: number };

export interface Walk {
  readonly source: 'keep' | 'move' | 'delete';
  readonly steps: readonly Step[];
}

const number = fc.nat({ max: 99 });
const content = number;
const file = number;
const folder = fc.constantFrom(...FOLDERS);
const stem = fc.constantFrom(...STEMS);
const scale = fc.constantFrom(...SCALES);

const is = <K extends Step['kind']>(...kinds: K[]) => fc.constantFrom(...kinds);

const steps: { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ kind: is('drop'), content, folder, stem },
      how: fc.constantFrom('copy', 'copy', 'rename', 'slowly'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: is('finish-copy') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: is('replace'),
      file,
      content,
      how: fc.constantFrom('in place', 'by rename'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: is('rename'), file, folder, stem }) },
  { weight: 1, arbitrary: fc.record({ kind: is('delete'), file }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: is('sidecar'), file, scale: fc.constantFrom(...SCALES, null) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: is('foreign'), content, isVideo: fc.boolean(), folder, stem }),
  },
  { weight: 2, arbitrary: fc.record({ kind: is('edit-output', 'delete-output'), file }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: is('pause', 'resume', 'resume'), job: fc.option(number, { nil: null }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: is('cancel', 'retry', 'retry'), job: number }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ kind: is('add', 'add', 'run'), content, stem, scale },
      folder: fc.constantFrom('A', 'B'),
    }),
  },
  { weight: 7, arbitrary: fc.record({ kind: is('kill', 'kill', 'stop', 'start', 'start', 'start') }) },
  { weight: 4, arbitrary: fc.record({ kind: is('settle') }) },
  { weight: 3, arbitrary: fc.record({ kind: is('wait'), ms: fc.nat({ max: 1500 }) }) },
];

/** Generates walks with this many steps. */
export function walks({
  minLength,
  maxLength,
}: {
  minLength: number;
  maxLength: number;
}): fc.Arbitrary<Walk> {
  return fc.record({
    source: fc.constantFrom('keep', 'move', 'delete'),
    steps: fc.array(fc.oneof(...steps), { minLength, maxLength, size: 'max' }),
  });
}

/** Describes a step for a report. */
export function describeStep({ kind, ...rest }: Step): string {
  return [kind, ...Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`)].join(' ');
}
