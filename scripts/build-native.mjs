// `npm run build:native`: builds the native programs, the CPU addon, and the CUDA addon where nvcc is found; shows the
// compiler's output.
import { fileURLToPath } from 'node:url';
import { buildCpu } from './setup/cpu-build.mjs';
import { buildNative } from './setup/native-build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const target of ['addon', 'program']) {
  const { ok, output } = await buildCpu(root, target);
  if (!ok) console.error(output);
  if (!ok) process.exitCode = 1;
}
const { ok } = await buildNative(root, { show: true });
if (!ok) process.exitCode = 1;
