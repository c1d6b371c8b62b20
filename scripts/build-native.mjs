// `npm run build:native`: the native program, and the CUDA addon where nvcc is.
import { fileURLToPath } from 'node:url';
import { buildNative } from './setup/native-build.mjs';

const { ok } = await buildNative(fileURLToPath(new URL('..', import.meta.url)), { show: true });
if (!ok) process.exitCode = 1;
