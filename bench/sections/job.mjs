import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const HEADER = [
  ...['WHOLE JOB', 'BARE ENGINE, FRAMES/S', 'DRIFT', 'JOB, FRAMES/S', 'RATIO', 'RATIO OF CPU TIME'],
  ...['DAEMON, PEAK MB', 'WORKER, PEAK MB'],
];

/**
 * A job from the input folder to the finished video (bench/end-to-end.mjs), compared with the bare engine.
 *
 * @param {{ root: string, sizes: readonly string[], frames: string, clip?: string }} options
 */
export async function measureJob({ root, sizes, frames, clip }) {
  const rows = [];
  for (const size of sizes) rows.push(await measureSize({ root, size, frames, clip }));
  return { header: HEADER, cells: rows.map(cellsOf), data: rows };
}

async function measureSize({ root, size, frames, clip }) {
  const [width, height] = size.split('x');
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-bench-'));
  const report = join(folder, 'report.json');
  const source = clip === undefined ? [] : ['--clip', resolve(clip)];
  const video = ['--width', width, '--height', height, '--frames', frames, ...source];
  try {
    const program = join(root, 'bench/end-to-end.mjs');
    await promisify(execFile)(process.execPath, [program, ...video, '--report', report]);
    return JSON.parse(readFileSync(report, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cellsOf({ what, bareEngineFps, drift, isDisturbed, wholeJobFps, ratio, ratioOfCpu, ...peaks }) {
  const percent = `${(drift * 100).toFixed(0)} %`;
  const numbers = [wholeJobFps, ratio, ratioOfCpu, peaks.daemonPeakMegabytes, peaks.workerPeakMegabytes];
  return [
    ...[what, `${bareEngineFps.before} before, ${bareEngineFps.after} after`],
    isDisturbed ? `${percent}, disturbed` : percent,
    ...numbers.map((value) => (value === null ? '–' : String(value))),
  ];
}
