import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { createCpuEngine, loadCpuAddon } from '../../dist/inference/cpu-engine.js';
import { decodeModel } from '../../dist/inference/models/onnx-model.js';
import { createOnnxEngine } from '../../dist/inference/onnx-engine.js';
import { lowerGraph } from '../../dist/inference/plan/lower-graph.js';
import { figure } from '../figure.mjs';
import { readTensors } from '../jobs/video.mjs';
import { limitOf, measureLimits } from './limits.mjs';

/** What a pixel of the default model takes; a larger model gets fewer pixels, for about the same time. */
const OPERATIONS_PER_PIXEL = 4e6;
/** Enough rounds for a median; a size of which a pair takes longer than this gets no more than that. */
const LEAST_ROUNDS = 3;
const SLOW_PAIR_MS = 4_000;
/** For 20 to 40 ms after a run, onnxruntime's threads keep a core busy while they wait for the next one. */
const REST_MS = 100;

const HEADER = [
  ...[
    'MODEL',
    'SIZE',
    'INSTRUCTIONS',
    'PRECISION',
    'MS',
    'ONNXRUNTIME = 1',
    'SPREAD',
    'CPU TIME = 1',
    'GFLOP/CPU S',
  ],
  ...['PEAK', 'WINOGRAD', 'SHARE'],
];

/**
 * Speed of the CPU engine for each model, size, instruction set and precision. Every measurement is a pair: onnxruntime
 * runs shortly before it and after it, so that other programs on the machine disturb both.
 *
 * @param {{ root: string, models: readonly { name: string, path: string }[], sizes: readonly string[], rounds: number,
 *   threads: number, instructionSets: readonly string[], clip?: string | undefined }} options
 */
export async function measureEngines({ root, models, sizes, rounds, threads, instructionSets, clip }) {
  const limits = await measureLimits(root, threads);
  const rows = [];
  for (const { name, path } of models) {
    const file = readFileSync(path);
    const work = operationsPerPixel(file, name);
    const reference = await createOnnxEngine('cpu').load(file, { threads });
    for (const size of sizes) {
      const video = {
        clip,
        ...shrunk(size, Math.max(1, Math.round(Math.sqrt(work / OPERATIONS_PER_PIXEL)))),
      };
      const [frame] = readTensors(video, 1);
      for (const { instructionSet, precision } of variants(instructionSets)) {
        const model = await createCpuEngine(loadCpuAddon, instructionSet).load(file, { threads, precision });
        const pairs = await measurePairs(model, reference, frame, rounds);
        await model.dispose();
        const operations = work * video.width * video.height;
        const row = {
          ...{ model: name, size: `${video.width}x${video.height}`, instructionSet, precision },
          ...summary(pairs, operations),
          ...limitOf(limits, instructionSet, precision),
        };
        rows.push({ ...row, share: row.gigaflopsPerCpuSecond / row.limit });
        console.error(
          `${name} ${row.size} ${instructionSet} ${precision}: ${row.ratio.toFixed(2)} times onnxruntime`,
        );
      }
    }
    await reference.dispose();
  }
  return { header: HEADER, cells: rows.map(cellsOf), data: { limits, rows } };
}

/** The precisions that differ: those of words need instructions for them. */
export function variants(instructionSets) {
  return instructionSets.flatMap((instructionSet) => {
    const precisions = instructionSet.endsWith('-vnni') ? ['exact', 'balanced', 'fast'] : ['exact'];
    return precisions.map((precision) => ({ instructionSet, precision }));
  });
}

async function measurePairs(model, reference, frame, rounds) {
  await timed(model, frame);
  const pairs = [];
  let before = await timed(reference, frame);
  const count = before.ms > SLOW_PAIR_MS ? Math.min(rounds, LEAST_ROUNDS) : rounds;
  while (pairs.length < count) {
    const own = await timed(model, frame);
    const after = await timed(reference, frame);
    pairs.push({ own, other: { ms: (before.ms + after.ms) / 2, cpuMs: (before.cpuMs + after.cpuMs) / 2 } });
    before = after;
  }
  return pairs;
}

/** Wall time, and the time of all threads of this process. */
async function timed(model, frame) {
  await setTimeout(REST_MS);
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await model.run(frame);
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

function summary(pairs, operations) {
  const ratios = pairs.map(({ own, other }) => other.ms / own.ms);
  return {
    ms: median(pairs.map(({ own }) => own.ms)),
    ratio: median(ratios),
    leastRatio: Math.min(...ratios),
    largestRatio: Math.max(...ratios),
    cpuRatio: median(pairs.map(({ own, other }) => other.cpuMs / own.cpuMs)),
    // The best round: the others were disturbed.
    gigaflopsPerCpuSecond: Math.max(...pairs.map(({ own }) => operations / own.cpuMs / 1e6)),
  };
}

function cellsOf(row) {
  return [
    ...[row.model, row.size, row.instructionSet, row.precision, row.ms.toFixed(0), row.ratio.toFixed(2)],
    `${row.leastRatio.toFixed(2)} to ${row.largestRatio.toFixed(2)}`,
    ...[row.cpuRatio.toFixed(2), row.gigaflopsPerCpuSecond.toFixed(0)],
    ...[`${figure(row.peak)} ${row.kind}`, row.winograd.toFixed(2), figure(row.share * 100, 0, ' %')],
  ];
}

function shrunk(size, by) {
  const [width, height] = size.split('x').map((edge) => Math.max(1, Math.round(Number(edge) / by)));
  return { width, height };
}

/** Multiplications and additions of all convolutions, as if they were computed directly. */
function operationsPerPixel(file, name) {
  const { steps } = lowerGraph(decodeModel(file, name).graph);
  return steps.steps
    .filter(({ op }) => op === 'conv')
    .reduce((sum, { weights, output }) => sum + 2 * weights.length * steps.value(output).area, 0);
}

export function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
