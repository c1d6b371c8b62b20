import { expect, test } from 'vitest';
import { formatTable } from '../../../../../src/cli/format-table.ts';
import { SCENARIO_KINDS } from '../../../../helpers/tracking/synthetic-scenarios.ts';
import {
  BENCHMARK_METHODS,
  runTrackingBenchmark,
  type BenchmarkRow,
  type TrackingBenchmark,
} from '../../../../helpers/tracking/tracking-benchmark.ts';

/* Prints the tables of docs/decisions/0010-face-tracker.md and 0012-dual-face.md. */
const HEADER = [
  ...['IDENTITY BY', 'SCENARIO', 'COUNT', 'IDF1', 'MOTA', 'SWITCHES', 'LASTING', 'PANE SWAPS'],
  'FACES COMPARED IN',
];

function print({ rows, framesPerSecond }: TrackingBenchmark): void {
  const cells = rows.map((row) => [
    ...[row.method, row.kind, String(row.scenarios), row.idf1.toFixed(3), row.mota.toFixed(3)],
    ...[row.switches, row.lastingSwitches, row.paneSwaps ?? '-'].map(String),
    `${(100 * row.comparedShare).toFixed(1)} %`,
  ]);
  const speed = `association alone: ${Math.round(framesPerSecond)} frames per second with 10 faces`;
  console.log([...formatTable(HEADER, cells), speed].join('\n'));
}

function totalOf({ rows }: TrackingBenchmark, method: BenchmarkRow['method']): BenchmarkRow {
  const total = rows.find((row) => row.method === method && row.kind === 'all');
  return total ?? expect.fail(`no total for ${method}`);
}

function expectQuality(benchmark: TrackingBenchmark): void {
  expect(benchmark.rows.map(({ method, kind }) => `${method} ${kind}`)).toEqual(
    BENCHMARK_METHODS.flatMap((method) => [...SCENARIO_KINDS, 'all'].map((kind) => `${method} ${kind}`)),
  );
  const tracks = totalOf(benchmark, 'tracks');
  const wholeTracks = totalOf(benchmark, 'whole tracks');
  expect(tracks).toMatchObject({ paneSwaps: null, comparedShare: 0 });
  expect(totalOf(benchmark, 'position and size').idf1).toBeGreaterThan(tracks.idf1);
  expect(wholeTracks.idf1).toBeGreaterThan(0.991);
  const crossings = benchmark.rows.find((row) => row.method === 'whole tracks' && row.kind === 'crossing');
  expect(crossings?.switches).toBeLessThanOrEqual((crossings?.scenarios ?? 0) / 20);
  expect(wholeTracks.paneSwaps).toBe(0);
  expect(wholeTracks.comparedShare).toBeGreaterThan(0);
  expect(wholeTracks.comparedShare).toBeLessThan(0.07);
  expect(benchmark.framesPerSecond).toBeGreaterThan(0);
}

test(
  'each layer of identification improves on the one below, and faces are compared in few frames',
  {
    timeout: 120_000,
  },
  async () => {
    const benchmark = await runTrackingBenchmark(10 * SCENARIO_KINDS.length, () => performance.now());
    print(benchmark);
    expectQuality(benchmark);
    expect(totalOf(benchmark, 'tracks').scenarios).toBe(60);
  },
);

test('no identity switch lasts in 200 scenarios', { timeout: 120_000, tags: ['slow'] }, async () => {
  const benchmark = await runTrackingBenchmark(200, () => performance.now());
  print(benchmark);
  expectQuality(benchmark);
  expect(totalOf(benchmark, 'whole tracks')).toMatchObject({ scenarios: 200, lastingSwitches: 0 });
});
