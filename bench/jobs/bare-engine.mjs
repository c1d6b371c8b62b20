import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTensors } from './video.mjs';

/** Different frames that the engine gets in turn. */
const DIFFERENT = 4;

/**
 * The model of a job alone, on whole frames.
 *
 * @param {{ root: string, model: string, scale: number, precision: string, runs: number,
 *   video: { clip?: string | undefined, width: number, height: number } }} options
 */
export async function openBareEngine({ root, model: name, scale, precision, runs, video }) {
  const dist = (path) => import(join(root, 'dist', path));
  const { availableEngines } = await dist('inference/available-engines.js');
  const { chooseEngine } = await dist('inference/load-model.js');
  const { frameTrial } = await dist('pipelines/upscale/frame-trial.js');
  const { foldScale2 } = await dist('inference/models/fold-scale-2.js');
  const file = readFileSync(join(root, 'models', `${name}.onnx`));
  const onnx = (scale === 2 ? foldScale2(file, name) : null) ?? file;
  const options = { threads: 0, precision };
  const { model } = await chooseEngine(onnx, 'auto', availableEngines(), options, frameTrial);
  const frames = readTensors(video, DIFFERENT);
  return {
    /** @returns frames a second, and CPU time of all threads in ms a frame */
    async measure() {
      await model.run(frames[0]);
      const startedAt = performance.now();
      const cpu = process.cpuUsage();
      for (let i = 0; i < runs; i++) await model.run(frames[i % DIFFERENT]);
      const { user, system } = process.cpuUsage(cpu);
      return {
        fps: (runs * 1000) / (performance.now() - startedAt),
        cpuMs: (user + system) / 1000 / runs,
      };
    },
    close: () => model.dispose(),
  };
}
