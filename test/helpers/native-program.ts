import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

export const NATIVE_PROGRAM = resolve(import.meta.dirname, '../../native-cuda/build/framekiln-native');

/** Why native tests are skipped; null when the program is built. */
export const whyNoNativeProgram: string | null = existsSync(NATIVE_PROGRAM)
  ? null
  : 'the native program is not built (npm run build:native needs cmake and a C++ compiler)';

export interface NativeOutput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Runs a plan by the CPU reference in float32, or by the emulated kernels in half precision. */
export function runPlan(
  how: 'reference' | 'device',
  plan: Uint8Array,
  input: Float32Array,
  [height, width]: readonly [number, number],
): NativeOutput[] {
  const folder = temporaryFolder();
  const [planPath, inputPath, prefix] = ['plan.fkpl', 'input.f32', 'output'].map((name) =>
    join(folder, name),
  );
  writeFileSync(planPath ?? '', plan);
  writeFileSync(inputPath ?? '', new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
  const args = [how, planPath ?? '', inputPath ?? '', '3', String(height), String(width), prefix ?? ''];
  const output = execFileSync(NATIVE_PROGRAM, args, { encoding: 'utf8' });
  const { outputs } = JSON.parse(output) as { outputs: { shape: number[] }[] };
  return outputs.map(({ shape }, index) => ({
    shape,
    data: new Float32Array(Uint8Array.from(readFileSync(`${prefix}.${index}.f32`)).buffer),
  }));
}
