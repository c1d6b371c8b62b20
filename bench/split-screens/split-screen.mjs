/** Runs the real split-screen pipeline on frames in memory, in batches as a job does. */
import { join, resolve } from 'node:path';
import { PIPELINE_DEFAULTS } from '../../dist/config/recipe-presets.js';
import { findModel } from '../../dist/inference/models/find-model.js';
import { readManifest } from '../../dist/inference/models/manifest.js';
import { createOnnxEngine } from '../../dist/inference/onnx-engine.js';
import { Screen } from '../../dist/pipelines/dual-face/composition/screen.js';
import { DualFacePipeline } from '../../dist/pipelines/dual-face/dual-face-pipeline.js';

const models = resolve(import.meta.dirname, '../../models');
const BATCH = 40;
/** Size of the result: small, because only the views are measured. */
export const RESULT = { width: 320, height: 180 };

/**
 * The frames of a split screen, the views that were drawn, the geometry of the views and the log line at the end.
 *
 * @param frames packed 8-bit RGB
 * @param recipe keys that differ from the defaults
 */
export async function splitScreen(frames, size, rate, recipe) {
  const views = [];
  const { draw } = Screen.prototype;
  let geometry = null;
  // The pipeline draws each frame once and does not report its views.
  Screen.prototype.draw = function (frame, shown) {
    geometry = this.paneGeometry;
    views[frame.number] = shown;
    return draw.call(this, frame, shown);
  };
  const wanted = { ...PIPELINE_DEFAULTS['dual-face'], device: 'cpu', ...RESULT, ...recipe };
  const manifest = await readManifest(join(models, 'manifest.json'));
  const pipeline = new DualFacePipeline({
    recipe: wanted,
    model: await findModel(wanted.model, [models], manifest, 'face-detector'),
    embedding: await findModel('face-recognition', [models], manifest, 'face-embedding'),
    ...{ tile: null, threads: 1 },
    engines: [createOnnxEngine('cpu')],
    onInferred: () => undefined,
    onStepDown: (reason) => console.error(reason),
  });
  try {
    const video = { ...size, bitsPerComponent: 8, sampleAspectRatio: { num: 1, den: 1 } };
    await pipeline.open({ video: { ...video, averageFrameRate: { num: rate, den: 1 } } });
    const results = [];
    let state = null;
    for (let start = 0; start < frames.length; start += BATCH) {
      const batch = frames.slice(start, start + BATCH).map((pixels, i) => ({ number: start + i, pixels }));
      for await (const { pixels } of pipeline.process(batch, state, new globalThis.AbortController().signal))
        results.push(pixels);
      state = pipeline.snapshot();
    }
    return { results, views, geometry, conclusion: pipeline.conclusion() };
  } finally {
    Screen.prototype.draw = draw;
    await pipeline.close();
  }
}
