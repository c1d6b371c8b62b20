import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isCpuAddonBuilt } from '../../src/inference/cpu-engine.ts';
import type { BenchReport } from '../../src/trial/bench-report.ts';
import { makeHome, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

test(
  'bench measures models with each precision and encoders, and queues nothing',
  { tags: ['slow'], timeout: 600_000 },
  () => {
    const home = makeHome(temporaryFolder());
    const mine = join(home, 'mine.onnx');
    writeFileSync(mine, tinySrvgg());
    const html = join(home, 'bench.html');
    const args = ['bench', '--models', `${mine},none`, '--json', '--html', html, '--home', home];
    const { status, stdout, stderr } = run(args, {}, 600_000);
    expect(status, stderr).toBe(1);
    const { models, encoders, missing } = JSON.parse(stdout) as BenchReport;
    expect(missing).toEqual([{ model: 'none', reason: expect.stringContaining('none') as string }]);

    const onCpu = models.filter(({ device }) => device === 'cpu');
    const precisions = isCpuAddonBuilt() ? ['exact', 'balanced', 'fast'] : [null];
    expect(onCpu.map(({ model, precision }) => [model, precision])).toEqual([
      ['lanczos', null],
      ...precisions.map((precision) => [mine, precision]),
    ]);
    for (const { rates, seconds } of models) {
      expect(rates).toHaveLength(9);
      const [small = 0, ...others] = rates.map(({ framesPerSecond }) => framesPerSecond);
      expect(Math.min(...others)).toBeGreaterThan(0);
      expect(small).toBeGreaterThan(others.at(-1) ?? 0);
      expect(seconds.map(({ length }) => length)).toEqual(['10 s', '1 min', '5 min']);
    }
    expect(encoders.find(({ encoder }) => encoder === 'libx264')?.framesPerSecond).toBeGreaterThan(0);
    expect(
      encoders.every(({ framesPerSecond, reason }) => (framesPerSecond === null) !== (reason === null)),
    ).toBe(true);
    expect(readFileSync(html, 'utf8')).toContain('libx264');
    expect(existsSync(join(home, '.framekiln/framekiln.db'))).toBe(false);
  },
);
