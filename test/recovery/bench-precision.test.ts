import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { isCpuAddonBuilt } from '../../src/inference/cpu-engine.ts';
import { makeClip } from '../helpers/clips.ts';
import { makeHome, readLog, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

interface StoredPrecision {
  program: string;
  precision: string;
  rows: { precision: string; grade: string }[];
}

test(
  'bench precision grades real frames, and new jobs with auto follow while its report is valid',
  { tags: ['slow'], timeout: 120_000 },
  ({ skip }) => {
    if (!isCpuAddonBuilt()) skip('the CPU engine is not built (npm run setup needs g++)');
    const home = makeHome(temporaryFolder());
    const model = join(home, 'mine.onnx');
    writeFileSync(model, tinySrvgg());
    const clip = makeClip(join(home, 'film.mp4'), { width: 160, height: 120, frames: 50 });

    const bench = ['bench', 'precision', clip, '--model', model, '--frames', '2', '--home', home];
    const { status, stdout, stderr } = run(bench);
    expect(status, stderr).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^PRECISION +SPEED +PSNR WORST +MEAN +SSIM WORST +GRADE$/);
    expect(lines[1]).toMatch(/^exact +[\d.]+ x onnxruntime +[\d.]+ dB +[\d.]+ dB +1\.00000 +EXCELLENT$/);
    const file = join(home, '.framekiln/precisions.json');
    const read = (): Record<string, StoredPrecision> =>
      JSON.parse(readFileSync(file, 'utf8')) as Record<string, StoredPrecision>;
    const [[sha256, stored] = ['', null]] = Object.entries(read());
    expect(stored?.rows.map(({ precision }) => precision)).toEqual(['exact', 'balanced', 'fast']);
    expect(stdout).toContain(
      `new jobs with engine.precision auto use ${stored?.precision}; report: ${file}\n`,
    );

    // Neither is what auto uses without a report.
    for (const [i, change] of [{ precision: 'exact' }, { precision: 'exact', program: '0.0.1' }].entries()) {
      writeFileSync(file, JSON.stringify({ [sha256]: { ...stored, ...change } }));
      const name = `clip${i}.mp4`;
      mkdirSync(join(home, 'clips'), { recursive: true });
      const source = makeClip(join(home, 'clips', name), {
        width: 32,
        height: 32,
        frames: 3 + i,
        audio: false,
      });
      const args = ['run', source, '--model', model, '--device', 'cpu', '--skip-checks', '--home', home];
      expect(run(args).status, readLog(home)).toBe(0);
    }
    const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'), { timeout: 10_000 });
    const plans = db.prepare(`SELECT json_extract(plan, '$.precision') AS precision FROM jobs ORDER BY id`);
    const precisions = plans.all();
    db.close();
    expect(precisions).toEqual([{ precision: 'exact' }, { precision: 'balanced' }]);
  },
);
