import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const KERNELS = resolve(import.meta.dirname, '../../../native-cuda/kernels');
const NVCC = existsSync('/usr/local/cuda/bin/nvcc') ? '/usr/local/cuda/bin/nvcc' : 'nvcc';

/** Why kernels cannot be interpreted; null where nvcc is found. */
export const whyNoPtx: string | null =
  spawnSync(NVCC, ['--version']).status === 0
    ? null
    : 'nvcc was not found: the PTX of the kernels is not interpreted';

export type Architecture = '75' | '80' | '90a';

/** The PTX that nvcc makes of a kernel file for a compute capability. */
export function compileToPtx(file: string, architecture: Architecture): string {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-ptx-'));
  try {
    const ptx = join(folder, 'kernels.ptx');
    const options = ['-std=c++20', '-O3', '-ptx', `-arch=compute_${architecture}`];
    execFileSync(NVCC, [...options, join(KERNELS, `${file}.cu`), '-o', ptx]);
    return readFileSync(ptx, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
