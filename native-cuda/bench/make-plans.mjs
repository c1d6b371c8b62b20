// Writes the model plans that the benchmark measures, in half precision, to native-cuda/build/plans, so that it can run
// on machines without Node. Needs a build of the project and the models in models/.
//
//   node native-cuda/bench/make-plans.mjs
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { foldScale2 } from '../../dist/inference/models/fold-scale-2.js';
import { compilePlan } from '../../dist/inference/plan/compile-plan.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'native-cuda/build/plans');
mkdirSync(folder, { recursive: true });

for (const name of ['realesr-animevideov3', 'realesr-general-x4v3', 'RealESRGAN_x4plus']) {
  const path = join(root, 'models', `${name}.onnx`);
  if (!existsSync(path)) {
    console.log(`skipping ${name}: not in models/; to fetch it: framekiln models pull ${name}`);
    continue;
  }
  const file = readFileSync(path);
  const folded = foldScale2(file, name);
  for (const [label, model] of [[name, file], ...(folded === null ? [] : [[`${name}-x2`, folded]])]) {
    const plan = compilePlan(model, 'float16', label);
    writeFileSync(join(folder, `${label}.fkpl`), plan);
    console.log(`${label}.fkpl, ${(plan.length / 1e6).toFixed(1)} MB`);
  }
}
