import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { isCpuAddonBuilt } from '../../../src/inference/cpu-engine.ts';
import { makeClip } from '../../helpers/clips.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

const root = resolve(import.meta.dirname, '../../..');

function bench(folder: string, ...args: string[]): { table: string; report: unknown } {
  const report = join(folder, 'report.json');
  const table = execFileSync(process.execPath, [join(root, 'bench/bench.mjs'), '--report', report, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    // vitest cannot end a test that waits like this.
    timeout: 600_000,
  });
  return { table, report: JSON.parse(readFileSync(report, 'utf8')) };
}

// Only that it runs and says something of everything: figures of a machine that does other things are not judged.
test(
  'the benchmark compares the CPU engine with onnxruntime and with the limits of the processor',
  { tags: ['slow'], timeout: 600_000 },
  async ({ skip }) => {
    if (!isCpuAddonBuilt()) skip('the CPU engine is not built (npm run setup needs g++)');
    const folder = temporaryFolder();
    const model = join(folder, 'tiny.onnx');
    writeFileSync(model, tinySrvgg());
    const pictures = join(folder, 'pictures');
    mkdirSync(pictures);
    const gradient = Uint8Array.from({ length: 3 * 40 * 30 }, (_, i) => (i * 7) % 251);
    await sharp(gradient, { raw: { width: 40, height: 30, channels: 3 } }).toFile(
      join(pictures, 'gradient.png'),
    );
    const stills = join(folder, 'stills');
    const { table, report } = bench(
      ...([
        folder,
        '--only',
        'engines,quality',
        '--model',
        model,
        '--size',
        '24x16',
        '--rounds',
        '1',
      ] as const),
      ...['--pictures', pictures, '--crop', '24', '--stills', stills],
    );
    for (const column of ['SIZE', 'ONNXRUNTIME = 1', 'SPREAD', 'CPU TIME = 1', 'PEAK', 'WINOGRAD', 'SHARE'])
      expect(table).toContain(column);
    for (const column of ['PSNR WORST', 'SSIM WORST', 'GRADE']) expect(table).toContain(column);
    expect(table).not.toContain('NaN');
    const row = { model: 'tiny', size: '24x16', precision: 'exact', share: expect.any(Number) as number };
    expect(report).toMatchObject({
      sections: {
        engines: { rows: expect.arrayContaining([expect.objectContaining(row)]) as unknown },
        quality: { images: ['gradient'] },
      },
    });
    expect(readdirSync(stills)).toEqual(['tiny-gradient.png']);
    // Bicubic, onnxruntime, and as many precisions as the best instruction set has.
    const { width } = await sharp(join(stills, 'tiny-gradient.png')).metadata();
    expect([3, 5].map((images) => images * 100 - 4)).toContain(width);
  },
);

test('the benchmark names a model that is not there', () => {
  const args = ['bench/bench.mjs', '--only', 'engines', '--model', 'no-such-model'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/models\/no-such-model\.onnx does not exist/)]);
});

test('the benchmark measures the queue', () => {
  const { table, report } = bench(temporaryFolder(), '--only', 'queue', '--jobs', '40');
  for (const column of ['OPERATION', 'MEDIAN MS', 'P99 MS']) expect(table).toContain(column);
  expect(table).toMatch(/claim a job +40 +[\d.]+ +[\d.]+/);
  expect(report).toMatchObject({ sections: { queue: { jobs: 40 } } });
});

test('the benchmark measures the daemon', { tags: ['slow'], timeout: 600_000 }, () => {
  const { table } = bench(temporaryFolder(), '--only', 'daemon', '--seconds', '3');
  for (const row of ['start until the page answers', 'interval of a 10 ms timer', 'worker: growth'])
    expect(table).toContain(row);
  expect(table).not.toContain('NaN');
});

test('the benchmark measures a whole job of a clip', { tags: ['slow'], timeout: 600_000 }, ({ skip }) => {
  if (!existsSync(join(root, 'models/realesr-general-x4v3.onnx'))) skip('npm run setup downloads the model');
  const folder = temporaryFolder();
  const clip = makeClip(join(folder, 'film.mp4'), { width: 64, height: 48, frames: 20 });
  const { table, report } = bench(
    ...[folder, '--only', 'job', '--job-size', '64x36', '--frames', '60', '--clip', clip],
  );
  for (const column of ['DRIFT', 'RATIO OF CPU TIME']) expect(table).toContain(column);
  expect(table).not.toContain('NaN');
  expect(table).toContain('film.mp4, 64x36');
  const [job] = (report as { sections: { job: { workerPeakMegabytes: number }[] } }).sections.job;
  expect(job?.workerPeakMegabytes).toBeGreaterThan(0);
});
