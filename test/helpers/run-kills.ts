import { seededRandom } from '../../src/lib/seeded-random.ts';
import type { Kill } from './kills.ts';
import { BATCH, Life } from './kill-standard.ts';

export interface KillSummary {
  readonly violations: readonly string[];
  /** Rows of the table that is printed. */
  readonly lines: readonly string[];
}

/** I7; not a violation, because the machine of the tests is shared. */
const RECOVERY_MS = 3000;

interface Tally {
  kills: number;
  readonly recoveriesMs: number[];
}

/**
 * Strikes one blow after the other at clips of `frames` frames: a clip that is done is held to all promises, and the
 * next one begins. The seed decides every instant.
 */
export async function runKills(
  kills: readonly Kill[],
  frames: number,
  seed: number,
  prepare: (life: Life) => void = () => undefined,
): Promise<KillSummary> {
  const random = seededRandom(seed);
  const startedAtMs = Date.now();
  const tallies = new Map<string, Tally>();
  const violations: string[] = [];
  const totals = { lives: 0, framesOfClips: 0, inferred: 0, kills: 0 };
  let life: Life | null = null;

  const end = async (): Promise<void> => {
    if (life === null) return;
    await life.end();
    violations.push(...life.violations.map((each) => `${each} (life ${totals.lives})`));
    totals.lives++;
    totals.framesOfClips += life.frames;
    totals.inferred += life.inferred().length;
    totals.kills += life.kills;
    life = null;
  };
  const strike = async (kill: Kill): Promise<boolean> => {
    const isNew = life === null;
    const target: Life = (life ??= new Life(frames));
    if (isNew) prepare(target);
    const before = {
      violations: target.violations.length,
      recoveries: target.recoveriesMs.length,
      kills: target.kills,
    };
    await kill.strike(target, random);
    const tally = tallies.get(kill.kind) ?? { kills: 0, recoveriesMs: [] };
    tallies.set(kill.kind, tally);
    tally.kills += target.kills - before.kills;
    tally.recoveriesMs.push(...target.recoveriesMs.slice(before.recoveries));
    const name = kill.at === undefined ? kill.kind : `${kill.kind} ${kill.at}`;
    for (let i = before.violations; i < target.violations.length; i++)
      target.violations[i] = `${target.violations[i] ?? ''} [${name}]`;
    const struck = kill.at === undefined || target.points.hasFired(kill.at);
    if (target.isDone) await end();
    return struck;
  };

  for (const kill of kills) {
    if (await strike(kill)) continue;
    // This clip was past that point: a new one is not.
    await end();
    if (!(await strike(kill))) violations.push(`${kill.at ?? kill.kind} was never reached`);
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
      `${totals.kills} kills in ${totals.lives} clips of ${frames} frames, ${minutes} min, seed ${seed}; ` +
        `${totals.inferred} frames inferred for ${totals.framesOfClips} frames (at most ${totals.framesOfClips + totals.kills * BATCH} allowed); ` +
        `violations: ${violations.length === 0 ? 'none' : violations.length}`,
    ];
  }
}

/** In an order that the seed decides. */
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
