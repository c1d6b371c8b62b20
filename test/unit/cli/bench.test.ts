import { expect, it } from 'vitest';
import { benchPage } from '../../../src/cli/bench-page.ts';
import { benchTables } from '../../../src/cli/bench-tables.ts';
import type { BenchReport } from '../../../src/trial/bench-report.ts';

const report: BenchReport = {
  program: '1.2.3',
  at: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'A CPU', cores: 8, gpus: ['A <GPU>'] },
  models: [
    {
      ...{ model: 'lanczos', device: 'cpu', engine: null, precision: null },
      rates: [
        { size: '480p', scale: 2, framesPerSecond: 80 },
        { size: '480p', scale: 3, framesPerSecond: 40 },
      ],
      seconds: [{ length: '10 s', seconds: 4 }],
    },
    {
      ...{ model: '/models/mine & yours.onnx', device: 'gpu', engine: 'CUDA', precision: 'fast' },
      rates: [
        { size: '480p', scale: 2, framesPerSecond: 20 },
        { size: '480p', scale: 3, framesPerSecond: 10 },
      ],
      seconds: [{ length: '10 s', seconds: 95 }],
    },
  ],
  encoders: [
    { encoder: 'h264_nvenc', framesPerSecond: null, reason: 'no GPU' },
    { encoder: 'libx264', framesPerSecond: 31.25, reason: null },
  ],
  missing: [{ model: 'other', reason: 'not installed' }],
};

it('prints the speeds as tables', () => {
  expect(benchTables(report)).toEqual([
    'A CPU, 8 cores, A <GPU>',
    '',
    'Frames per second of a job, by source size and scale:',
    'MODEL         DEVICE  PRECISION  480P 2X  480P 3X',
    'lanczos       CPU                80.0     40.0',
    'mine & yours  GPU     fast       20.0     10.0',
    '',
    'Time for a 1080p video at 30 fps, scale 2, by length:',
    'MODEL         DEVICE  PRECISION  10 S',
    'lanczos       CPU                4 s',
    'mine & yours  GPU     fast       1 min 35 s',
    '',
    'Encoders, 1080p frames per second:',
    'ENCODER     SPEED',
    'h264_nvenc  does not work: no GPU',
    'libx264     31.3',
    '',
    'other: not installed',
  ]);
});

it('draws the speeds to scale on a page that loads nothing', () => {
  const page = benchPage(report);
  expect(page).toContain(
    '<span>mine &amp; yours, GPU, fast</span><span class="bar"><i style="width: 18.8%"></i>20.0 fps</span>',
  );
  expect(page).toContain('<span>h264_nvenc</span><span class="bar">does not work: no GPU</span>');
  expect(page).toContain('A &lt;GPU&gt;');
  expect(page).not.toMatch(/<script|<link|src=|url\(|https?:/);
});
