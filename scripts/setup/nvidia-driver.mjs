import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from './run-command.mjs';

const DRIVER_FILES = ['proc/driver/nvidia/version', 'dev/nvidiactl'];
/** WSL2's GPU device, which GPUs of other makers have as well. */
const WSL_DEVICE = 'dev/dxg';
/** Where WSL2 mounts the programs of the Windows driver, without adding them to every PATH. */
const WSL_NVIDIA_SMI = 'usr/lib/wsl/lib/nvidia-smi';

/**
 * @param {string} [systemRoot] `/`, unless a test says otherwise
 * @returns {boolean} whether an NVIDIA driver is installed, which does not mean that a GPU works
 */
export function hasNvidiaDriver(systemRoot = '/') {
  const has = (name) => existsSync(join(systemRoot, name));
  if (DRIVER_FILES.some(has)) return true;
  return has(WSL_DEVICE) && (has(WSL_NVIDIA_SMI) || findOnPath('nvidia-smi') !== null);
}
