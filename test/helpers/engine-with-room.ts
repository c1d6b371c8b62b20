import { EngineError } from '../../src/domain/errors.ts';
import type { Engine } from '../../src/inference/engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';

/** The real engine on the CPU, which runs out of memory above this number of pixels; records the width of each run. */
export function engineWithRoomFor(pixels: number, device: Engine['device'] = 'cpu') {
  const real = createOnnxEngine('cpu');
  const runs: { width: number; passed: boolean }[] = [];
  const engine: Engine = {
    ...real,
    device,
    async load(onnx, options) {
      const model = await real.load(onnx, options);
      return {
        dispose: () => model.dispose(),
        run(input) {
          const [, , height, width] = input.shape;
          const passed = width * height <= pixels;
          // The trial run before the first frame is tiny and is not recorded.
          if (width > 16) runs.push({ width, passed });
          if (passed) return model.run(input);
          return Promise.reject(new EngineError('OUT_OF_MEMORY', `No memory for ${width}x${height}.`));
        },
      };
    },
  };
  return { engine, runs };
}

/** Widths of the runs that ran out of memory. */
export const failedWidths = (runs: readonly { width: number; passed: boolean }[]): number[] =>
  runs.filter(({ passed }) => !passed).map(({ width }) => width);
