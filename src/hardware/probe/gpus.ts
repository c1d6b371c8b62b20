import { existsSync } from 'node:fs';
import { askAddon } from './addon-report.ts';
import { runProbe } from './run-probe.ts';

/** A GPU as its driver describes it. */
export interface GpuFact {
  readonly name: string;
  readonly driver: string;
  /** Compute capability, such as `8.9`. */
  readonly computeCapability: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export interface GpuFacts {
  readonly gpus: readonly GpuFact[];
  /** Why there is no GPU, as a clause for people; null where there is one. */
  readonly reason: string | null;
  readonly driver: DriverState;
}

/** `silent`: the driver did not respond in time, but may do so later. `failing`: it is installed but does not work. */
export type DriverState = 'working' | 'absent' | 'silent' | 'failing';

const TIMEOUT_MS = 5_000;
const MIB = 1024 * 1024;
const FIELDS = ['name', 'driver_version', 'compute_cap', 'memory.total', 'memory.free'];

/** Where WSL2 has the programs of the Windows driver, which are not on every PATH. */
const WSL_NVIDIA_SMI = '/usr/lib/wsl/lib/nvidia-smi';

/**
 * Asks nvidia-smi for the GPUs or, where it is missing, our CUDA addon.
 *
 * @param addonPath null if the addon is not installed
 * @param wslNvidiaSmi the usual path, unless a test says otherwise
 */
export async function probeGpus(
  addonPath: string | null,
  wslNvidiaSmi: string = WSL_NVIDIA_SMI,
): Promise<GpuFacts> {
  const query = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  const onPath = await runProbe('nvidia-smi', query, TIMEOUT_MS);
  const isElsewhere = onPath.outcome === 'not-found' && existsSync(wslNvidiaSmi);
  const { outcome, exitCode, stdout, stderr } = isElsewhere
    ? await runProbe(wslNvidiaSmi, query, TIMEOUT_MS)
    : onPath;
  if (outcome === 'timeout')
    return none('silent', `nvidia-smi did not respond within ${TIMEOUT_MS / 1000} s and was killed`);
  if (outcome === 'not-found' && addonPath !== null) return gpusOfAddon(addonPath);
  if (outcome === 'not-found') return none('absent', 'no NVIDIA driver found (nvidia-smi is missing)');
  const gpus = exitCode === 0 ? parseGpus(stdout) : [];
  if (gpus.length > 0) return { gpus, reason: null, driver: 'working' };
  const [line = ''] = (stdout + stderr).trim().split('\n');
  return none('failing', line === '' ? 'nvidia-smi lists no GPU' : `nvidia-smi failed: ${line}`);
}

/** Parses the output of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; skips other lines. */
export function parseGpus(text: string): GpuFact[] {
  return text.split('\n').flatMap((line) => {
    const [name, driver, computeCapability, total, free] = line.split(',').map((cell) => cell.trim());
    const [totalBytes, freeBytes] = [Number(total) * MIB, Number(free) * MIB];
    if (!name || !driver || !computeCapability || !(totalBytes > 0) || !(freeBytes >= 0)) return [];
    return [{ name, driver, computeCapability, totalBytes, freeBytes }];
  });
}

async function gpusOfAddon(path: string): Promise<GpuFacts> {
  const report = await askAddon(path);
  if (report === 'silent') return none('silent', `the driver did not respond within ${TIMEOUT_MS / 1000} s`);
  const gpus = report.devices.map(({ name, computeCapability, driverVersion, totalBytes, freeBytes }) => ({
    ...{ name, computeCapability, totalBytes, freeBytes },
    driver: `for CUDA ${driverVersion}`,
  }));
  return gpus.length === 0
    ? none('absent', report.reason ?? 'the driver lists no GPU')
    : { gpus, reason: null, driver: 'working' };
}

function none(driver: DriverState, reason: string): GpuFacts {
  return { gpus: [], reason, driver };
}
