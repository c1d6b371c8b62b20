import { seededRandom } from '../../src/lib/seeded-random.ts';
import type { Kill } from './kills.ts';
import { BATCH, InterruptedJob } from './interrupted-job.ts';

export interface KillSummary {
  readonly violations: readonly string[];
  /** Rows of the table that is printed. */
  readonly lines: readonly string[];
}

/** The expected time to the first new frame. A longer one is no violation, because the test machine is shared. */
const RECOVERY_MS = 3000;

interface Tally {
  kills: number;
  readonly recoveriesMs: number[];
}

/**
 * Carries out the kills one after the other on clips of `frames` frames. When a clip is done all promises are checked,
 * and the next clip starts. The seed determines every instant.
 */
export async function runKills(
  kills: readonly Kill[],
  frames: number,
  seed: number,
  prepare: (job: InterruptedJob) => void = () => undefined,
): Promise<KillSummary> {
  const random = seededRandom(seed);
  const startedAtMs = Date.now();
  const tallies = new Map<string, Tally>();
  const violations: string[] = [];
  const totals = { clips: 0, framesOfClips: 0, inferred: 0, kills: 0 };
  let job: InterruptedJob | null = null;

  const end = async (): Promise<void> => {
    if (job === null) return;
    await job.end();
    violations.push(...job.violations.map((each) => `${each} (clip ${totals.clips})`));
    totals.clips++;
    totals.framesOfClips += job.frames;
    totals.inferred += job.inferred().length;
    totals.kills += job.kills;
    job = null;
  };
  const inflict = async (kill: Kill): Promise<boolean> => {
    const isNew = job === null;
    const target: InterruptedJob = (job ??= new InterruptedJob(frames));
    if (isNew) prepare(target);
    const before = {
      violations: target.violations.length,
      recoveries: target.recoveriesMs.length,
      kills: target.kills,
    };
    await kill.inflict(target, random);
    const tally = tallies.get(kill.kind) ?? { kills: 0, recoveriesMs: [] };
    tallies.set(kill.kind, tally);
    tally.kills += target.kills - before.kills;
    tally.recoveriesMs.push(...target.recoveriesMs.slice(before.recoveries));
    const name = kill.at === undefined ? kill.kind : `${kill.kind} ${kill.at}`;
    for (let i = before.violations; i < target.violations.length; i++)
      target.violations[i] = `${target.violations[i] ?? ''} [${name}]`;
    const wasReached = kill.at === undefined || target.points.hasFired(kill.at);
    if (target.isDone) await end();
    return wasReached;
  };

  for (const kill of kills) {
    if (await inflict(kill)) continue;
    // This clip was past the fail point; a new one reaches it.
    await end();
    if (!(await inflict(kill))) violations.push(`${kill.at ?? kill.kind} was never reached`);
  }
  await end();
  return { violations, lines: table() };

  function table(): string[] {
    const minutes = ((Date.now() - startedAtMs) / 60_000).toFixed(1);
    const rows = [...tallies].map(([kind, { kills: count, recoveriesMs }]) => {
      const sorted = recoveriesMs.toSorted((a, b) => a - b);
      const at = (share: number) =>
        String(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? '-');
      const slow = sorted.filter((ms) => ms > RECOVERY_MS).length;
      return `| ${kind} | ${count} | ${sorted.length} | ${at(0.5)} | ${at(1)} | ${slow} |`;
    });
    return [
      '| kind | kills | recoveries with a new frame | median ms to it | largest ms | above 3 s |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
      `${totals.kills} kills in ${totals.clips} clips of ${frames} frames, ${minutes} min, seed ${seed}; ` +
        `${totals.inferred} frames inferred for ${totals.framesOfClips} frames (at most ${totals.framesOfClips + totals.kills * BATCH} allowed); ` +
        `violations: ${violations.length === 0 ? 'none' : violations.length}`,
    ];
  }
}

/** The items in a random order that the seed determines. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

export function times(count: number, kill: Kill): Kill[] {
  return Array.from({ length: Math.max(0, Math.round(count)) }, () => kill);
}
