import type { Instruction, Kernel } from './parse-ptx.ts';
import { register, translate } from './translate.ts';

/** The part of a machine that translated code uses: registers by their names in `translate.ts`, and memory. */
export interface Machine {
  readonly threads: number;
}

/** Runs a thread through a piece of code; the number of the next segment, or EXIT. */
export type Run = (thread: number) => number;
export const EXIT = -1;

/** Code without jumps that threads run on their own, or one instruction that a warp executes together. */
export type Segment =
  | { readonly kind: 'alone'; readonly run: Run; readonly instructions: number }
  | { readonly kind: 'together'; readonly instruction: Instruction; readonly instructions: 1 };

const TOGETHER = /^(bar|barrier|mma|ldmatrix|stmatrix|wgmma)\./;

/** Divides a kernel into segments, and compiles them to JavaScript. */
export function compileSegments(kernel: Kernel, machine: Machine): Segment[] {
  const starts = findStarts(kernel);
  const numberOf = new Map(starts.map((start, number) => [start, number]));
  const target = (instruction: number): number => numberOf.get(instruction) ?? EXIT;
  const sources: string[] = [];
  const segments = starts.map((start, number) => {
    const instructions = kernel.instructions.slice(start, starts[number + 1]);
    const [first] = instructions;
    if (first !== undefined && TOGETHER.test(first.operation)) {
      if (first.predicate !== null) throw new Error(`a predicate before ${first.operation} is not supported`);
      sources.push('null');
      return { kind: 'together' as const, instruction: first };
    }
    const jump = (label = ''): number => target(kernel.labels.get(label) ?? -1);
    const statements = instructions.map((instruction) => {
      const [name] = instruction.operation.split('.');
      if (name !== 'bra' && name !== 'ret') return translate(instruction, machine.threads);
      const go = `return ${name === 'ret' ? EXIT : jump(instruction.operands[0])};`;
      const { predicate } = instruction;
      if (predicate === null) return go;
      return `if (${predicate.negated ? '!' : ''}${register(predicate.register, machine.threads)}) ${go}`;
    });
    sources.push(`(t) => {\n${statements.join('\n')}\nreturn ${target(start + instructions.length)};\n}`);
    return { kind: 'alone' as const, instructions: instructions.length };
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- A compiler's output is meant to be run.
  const build = new Function(
    'm',
    `const { r, f, fi, s, p, d, u } = m;\nreturn [${sources.join(',\n')}];`,
  ) as (machine: Machine) => Run[];
  const runs = build(machine);
  return segments.map((segment, number) =>
    segment.kind === 'together'
      ? { ...segment, instructions: 1 as const }
      : { ...segment, run: runs[number] as Run },
  );
}

function findStarts({ instructions, labels }: Kernel): number[] {
  const starts = new Set([0, ...labels.values()]);
  instructions.forEach(({ operation }, i) => {
    if (TOGETHER.test(operation)) starts.add(i);
    if (TOGETHER.test(operation) || /^(bra|ret)\b/.test(operation)) starts.add(i + 1);
  });
  return [...starts].filter((start) => start < instructions.length).sort((a, b) => a - b);
}
