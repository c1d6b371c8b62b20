import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EngineError } from '../../../src/domain/errors.ts';
import type { Engine } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { measureModel } from '../../../src/trial/measure-model.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { repeatingModel } from '../../helpers/tiny-models.ts';

/** A GPU that is lost with the first frame that is measured. */
function lostGpu(): Engine {
  const real = createOnnxEngine('cpu');
  return {
    ...real,
    device: 'gpu',
    async load(onnx, options) {
      const model = await real.load(onnx, options);
      return {
        dispose: () => model.dispose(),
        run: (input) =>
          // The frames of the engine's trial have other sizes.
          input.shape[3] === 96
            ? Promise.reject(new EngineError('DEVICE_LOST', 'The GPU is gone.'))
            : model.run(input),
      };
    },
  };
}

test('the speed of the CPU is not taken for that of a GPU that is lost during the measurement', async () => {
  const path = join(temporaryFolder(), 'mine.onnx');
  const bytes = repeatingModel(2);
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const model = {
    ...{ name: 'mine', path, sha256, bytes: bytes.length, licence: null, architecture: null, overlap: 0 },
  };
  const request = { model, device: 'auto', threads: 1, precision: undefined } as const;
  const engines = [lostGpu(), createOnnxEngine('cpu')];
  await expect(measureModel(request, engines)).rejects.toThrow(
    'the engine failed while it was being measured: The GPU is gone; continuing with',
  );
});
