/** Runs the real split-screen pipeline on frames in memory, in batches as a job does. */
import { join, resolve } from 'node:path';
import { PIPELINE_DEFAULTS } from '../../dist/config/recipe-presets.js';
import { findModel } from '../../dist/inference/models/find-model.js';
import { readManifest } from '../../dist/inference/models/manifest.js';
import { createOnnxEngine } from '../../dist/inference/onnx-engine.js';
import { Screen } from '../../dist/pipelines/dual-face/composition/screen.js';
import { decodeViews } from '../../dist/pipelines/dual-face/composition/screen-views.js';
import { DualFacePipeline } from '../../dist/pipelines/dual-face/dual-face-pipeline.js';

const models = resolve(import.meta.dirname, '../../models');
const BATCH = 40;
/** Size of the result: small, because only the views are measured. */
export const RESULT = { width: 320, height: 180 };

/** An engine that reports the milliseconds of each run. */
function timedEngine(engine, onRun) {
  const load = async (...args) => {
    const model = await engine.load(...args);
    const run = async (tensor) => {
      const before = performance.now();
      const outputs = await model.run(tensor);
      onRun(performance.now() - before);
      return outputs;
    };
    return { maxBatch: model.maxBatch, run, dispose: () => model.dispose() };
  };
  return { ...engine, load };
}

/**
 * The frames of a split screen and their size, the views that were drawn, the decisions, the geometry of the views by layout and number of panes, the log line, and the milliseconds per
 * frame of each step (`models`: those of `analyse` in which a model ran).
 *
 * @param frames packed 8-bit RGB
 * @param recipe keys that differ from the defaults
 * @param loudness of the audio in each frame, in decibels; null: none
 */
export async function splitScreen(frames, size, rate, recipe, loudness = null) {
  const wanted = { ...PIPELINE_DEFAULTS['dual-face'], device: 'cpu', ...RESULT, ...recipe };
  const manifest = await readManifest(join(models, 'manifest.json'));
  const milliseconds = { analyse: 0, models: 0, direct: 0, draw: 0 };
  let inModels = 0;
  const pipeline = new DualFacePipeline({
    recipe: wanted,
    model: await findModel(wanted.model, [models], manifest, 'face-detector'),
    embedding: await findModel('face-recognition', [models], manifest, 'face-embedding'),
    ...{ tile: null, threads: 1 },
    engines: [timedEngine(createOnnxEngine('cpu'), (ms) => (inModels += ms))],
    onInferred: () => undefined,
    onStepDown: (reason) => console.error(reason),
  });
  const { signal } = new globalThis.AbortController();
  const timed = async (step, work) => {
    const before = performance.now();
    const result = await work();
    milliseconds[step] += (performance.now() - before) / frames.length;
    return result;
  };
  try {
    const video = { ...size, bitsPerComponent: 8, sampleAspectRatio: { num: 1, den: 1 } };
    await pipeline.open({ video: { ...video, averageFrameRate: { num: rate, den: 1 } } });
    const batches = [];
    for (let start = 0; start < frames.length; start += BATCH)
      batches.push(frames.slice(start, start + BATCH).map((pixels, i) => ({ number: start + i, pixels })));
    const findings = [];
    let state = null;
    inModels = 0;
    for (const batch of batches) {
      const analysed = await timed('analyse', () => pipeline.analyse(batch, state, signal, () => undefined));
      findings.push(analysed.findings);
      state = analysed.state;
    }
    milliseconds.models = inModels / frames.length;
    const lengths = batches.map(({ length }) => length);
    const { directions, conclusion, decisions } = await timed('direct', () =>
      pipeline.direct(findings, lengths, signal, () => undefined, loudness),
    );
    const results = [];
    await timed('draw', async () => {
      for (const [i, batch] of batches.entries())
        for await (const { pixels } of pipeline.process(batch, directions[i], signal))
          // The pipeline uses the bytes again.
          results.push(Buffer.from(pixels));
    });
    const views = directions.flatMap((direction) => [...decodeViews(direction).values()]);
    const format = { pixelFormat: 'rgb24' };
    const sizes = { from: { ...size, ...format }, to: { ...RESULT, ...recipe, ...format }, pixelAspect: 1 };
    const screen = new Screen(sizes, wanted);
    const geometryOf = (layout, panes) => screen.paneGeometry(layout, panes);
    const resultSize = { width: wanted.width, height: wanted.height };
    return {
      ...{ results, resultSize, views, geometryOf, conclusion, milliseconds },
      decisions: JSON.parse(decisions),
    };
  } finally {
    await pipeline.close();
  }
}
