import { join } from 'node:path';
import fc from 'fast-check';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { makeContents, type Contents } from './contents.ts';
import { endOfWalk } from './end-of-walk.ts';
import { describeStep, walks, type Step, type Walk } from './step.ts';
import { WalkedHome } from './walked-home.ts';

export interface WalksRequest {
  readonly seed: number;
  /** Number of walks, each with a seed of its own. */
  readonly count: number;
  /** Number of steps of a walk. */
  readonly length: number;
  /** Minutes to look for a shorter walk with a violation, per violation. */
  readonly shrinkMinutes?: number;
}

export interface WalksResult {
  /** A table of the walks, and every violation with the steps that led to it. */
  readonly lines: readonly string[];
  /** Each with the seed of its walk. */
  readonly violations: readonly string[];
}

interface Outcome {
  readonly walk: Walk;
  readonly history: readonly string[];
  readonly violations: readonly string[];
}

/**
 * Walks at random through everything that people and machines do to the files of a home, with the real program, and
 * reports what Framekiln lost (promises 37 and 38 in docs/promises.md).
 */
export async function runWalks({
  seed,
  count,
  length,
  shrinkMinutes = 0,
}: WalksRequest): Promise<WalksResult> {
  const root = temporaryFolder();
  const minLength = shrinkMinutes === 0 ? length : 1;
  const contents = makeContents(join(root, 'references'));
  const rows: string[] = [];
  const details: string[] = [];
  const violations: string[] = [];
  const stepCounts = new Map<Step['kind'], number>();
  for (let number = 0; number < count; number++) {
    const own = seed + number;
    const outcomes: Outcome[] = [];
    const property = fc.asyncProperty(walks({ minLength, maxLength: length }), async (walk) => {
      const outcome = await takeWalk(walk, contents);
      outcomes.push(outcome);
      return outcome.violations.length === 0;
    });
    const { errorInstance } = await fc.check(property, {
      ...{ seed: scattered(own), numRuns: 1, endOnFailure: shrinkMinutes === 0 },
      ...(shrinkMinutes === 0 ? {} : { interruptAfterTimeLimit: shrinkMinutes * 60_000 }),
    });
    const [first] = outcomes;
    if (first === undefined) throw new Error('No walk was taken.', { cause: errorInstance });
    for (const { kind } of first.walk.steps) stepCounts.set(kind, (stepCounts.get(kind) ?? 0) + 1);
    rows.push(`| ${own} | ${first.walk.source} | ${first.history.length} | ${first.violations.length} |`);
    violations.push(...first.violations.map((each) => `seed ${own}: ${each}`));
    const shortest = outcomes.findLast((outcome) => outcome.violations.length > 0);
    if (shortest !== undefined) details.push(...describeOutcome(own, shortest));
  }
  const kinds = [...stepCounts].sort().map(([kind, steps]) => `${kind} ${steps}`);
  const total = [...stepCounts.values()].reduce((sum, steps) => sum + steps, 0);
  const lines = [
    '| seed | output.source | steps | violations |',
    '| --- | --- | --- | --- |',
    ...rows,
    `${total} steps in ${count} walks, violations: ${violations.length === 0 ? 'none' : violations.length}; ${kinds.join(', ')}`,
    ...details,
  ];
  return { lines, violations };
}

/** A number far from those of the neighbouring seeds, whose walks would resemble each other. */
function scattered(seed: number): number {
  return Math.floor(seededRandom(seed)() * 0x7fff_ffff);
}

async function takeWalk(walk: Walk, contents: Contents): Promise<Outcome> {
  const walked = new WalkedHome(temporaryFolder(), contents, walk.source);
  const history: string[] = [];
  for (const step of walk.steps) history.push((await walked.take(step)) ?? `(no ${describeStep(step)})`);
  return { walk, history, violations: await endOfWalk(walked, walk.source) };
}

function describeOutcome(seed: number, { walk, history, violations }: Outcome): string[] {
  return [
    `seed ${seed}, output.source ${walk.source}:`,
    ...history.map((line, i) => `  ${String(i + 1).padStart(2)} ${line}`),
    ...violations.map((line) => `  → ${line}`),
  ];
}
