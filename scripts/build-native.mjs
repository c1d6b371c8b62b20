// `npm run build:native`: builds the native program, and the CUDA addon where nvcc is found; shows the compiler's output.
import { fileURLToPath } from 'node:url';
import { buildNative } from './setup/native-build.mjs';

const { ok } = await buildNative(fileURLToPath(new URL('..', import.meta.url)), { show: true });
if (!ok) process.exitCode = 1;
