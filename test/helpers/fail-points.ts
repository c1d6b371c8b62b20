import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailPoint } from '../../src/lib/fail-point.ts';

/** A folder that arms the fail points of all processes with its `environment` (src/lib/fail-point.ts). */
export interface FailPointFolder {
  readonly environment: { readonly FRAMEKILN_FAIL_POINTS: string };
  /** Arms these fail points, each as `NAME NTH ACTION`, and disarms all others. Points that have fired can fire again. */
  arm(...lines: readonly `${FailPoint} ${string}`[]): void;
  /** Whether a point has fired since it was armed. */
  hasFired(name: FailPoint): boolean;
  /** How often a point was reached by all processes together. */
  count(name: FailPoint): number;
  /** The points that were reached, without duplicates. */
  reached(): Set<string>;
}

export function failPointFolder(path: string): FailPointFolder {
  mkdirSync(path, { recursive: true });
  const hits = (): string[] => {
    const file = join(path, 'hits');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const marker = (name: string) => join(path, `fired-${name}`);
  return {
    environment: { FRAMEKILN_FAIL_POINTS: path },
    arm(...lines) {
      for (const line of lines) rmSync(marker(line.split(' ')[0] ?? ''), { force: true });
      writeFileSync(join(path, 'armed'), lines.join('\n'));
    },
    hasFired: (name) => existsSync(marker(name)),
    count: (name) => hits().filter((hit) => hit === name).length,
    reached: () => new Set(hits()),
  };
}
