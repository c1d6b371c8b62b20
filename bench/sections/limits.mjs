import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildCpu } from '../../scripts/setup/cpu-build.mjs';
import { hashFiles, readStamp, writeStamp } from '../../scripts/setup/stamp.mjs';

const SOURCES = ['native-cpu/engine', 'native-cpu/program', 'native-cuda/plan', 'native-cuda/reference'];

/**
 * How many times fewer multiplications Winograd's convolution needs than a direct one, which of the processor's
 * multiplications a precision uses, and which instructions.
 */
const WINOGRAD = { exact: 324 / 64, balanced: 144 / 36, fast: 324 / 64 };

/**
 * Measures what the processor can do at most, with all threads busy.
 *
 * @param {string} root the project's folder
 * @param {number} threads
 * @returns {Promise<Record<string, number>>} GFLOP per second of CPU time by `INSTRUCTIONS KIND`
 */
export async function measureLimits(root, threads) {
  await ensureProgram(root);
  const lines = execFileSync(program(root), ['peaks', String(threads)], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [instructions, kind, rate] = line.split(' ');
      return [`${instructions} ${kind}`, Number(rate)];
    }),
  );
}

/**
 * The limit of a precision, in GFLOP per second as if convolutions were direct.
 *
 * @param {Record<string, number>} limits
 * @param {string} instructionSet
 * @param {'exact' | 'balanced' | 'fast'} precision
 */
export function limitOf(limits, instructionSet, precision) {
  const [base, vnni] = instructionSet.split('-');
  const usesWords = vnni !== undefined && precision !== 'exact';
  const winograd = WINOGRAD[usesWords ? precision : 'exact'];
  const kind = usesWords ? 'int16' : 'float32';
  const peak = limits[`${base} ${kind}`] ?? NaN;
  return { kind, peak, winograd, limit: peak * winograd };
}

function program(root) {
  return join(root, 'native-cpu/build/framekiln-cpu');
}

async function ensureProgram(root) {
  const stampFile = join(root, 'native-cpu/build/.program.json');
  const stamp = hashFiles(root, SOURCES);
  if (readStamp(stampFile) === stamp) return;
  const { ok, output } = await buildCpu(root, 'program');
  if (!ok)
    throw new Error(`The native program, which measures the processor's limits, cannot be built:\n${output}`);
  writeStamp(stampFile, stamp);
}
