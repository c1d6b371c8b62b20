import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const HEADER = [
  'WHOLE JOB',
  'BARE ENGINE, FRAMES/S',
  'JOB, FRAMES/S',
  'RATIO',
  'DAEMON, PEAK MB',
  'WORKER, PEAK MB',
];

/** A job from the input folder to the finished video (bench/end-to-end.mjs), compared with the bare engine. */
export async function measureJob({ root }) {
  await promisify(execFile)(process.execPath, [join(root, 'bench/end-to-end.mjs')]);
  const data = JSON.parse(readFileSync(join(root, 'bench/results/end-to-end.json'), 'utf8'));
  const { what, bareEngineFps, wholeJobFps, ratio, daemonPeakMegabytes, workerPeakMegabytes } = data;
  const bare = `${bareEngineFps.before} before, ${bareEngineFps.after} after`;
  const cells = [[what, bare, ...[wholeJobFps, ratio, daemonPeakMegabytes, workerPeakMegabytes].map(String)]];
  return { header: HEADER, cells, data };
}
