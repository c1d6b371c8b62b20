import { pathToFileURL } from 'node:url';
import { runProbe } from './run-probe.ts';

/** A GPU, as its driver describes it. */
export interface GpuFact {
  readonly name: string;
  readonly driver: string;
  /** Such as `8.9`. */
  readonly computeCapability: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export interface GpuFacts {
  readonly gpus: readonly GpuFact[];
  /** Why there is none; null where there is one. */
  readonly reason: string | null;
  /** Whether a driver did not answer in time: at another time it may. */
  readonly isSilent: boolean;
}

const TIMEOUT_MS = 5_000;
const MIB = 1024 * 1024;
const FIELDS = ['name', 'driver_version', 'compute_cap', 'memory.total', 'memory.free'];

/**
 * The GPUs, asked of nvidia-smi, or where that is missing of our addon in a process of its own: a driver that hangs
 * must not take us with it.
 *
 * @param addonPath null where the addon is not built
 */
export async function probeGpus(addonPath: string | null): Promise<GpuFacts> {
  const query = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  const { outcome, exitCode, stdout, stderr } = await runProbe('nvidia-smi', query, TIMEOUT_MS);
  if (outcome === 'timeout')
    return none(`nvidia-smi did not answer within ${TIMEOUT_MS / 1000} s and was killed`, true);
  if (outcome === 'not-found' && addonPath !== null) return askAddon(addonPath);
  if (outcome === 'not-found') return none('there is no nvidia-smi, so no NVIDIA driver');
  const gpus = exitCode === 0 ? parseGpus(stdout) : [];
  if (gpus.length > 0) return { gpus, reason: null, isSilent: false };
  const words = (stdout + stderr).trim().split('\n')[0] ?? '';
  return none(`nvidia-smi says: ${words === '' ? 'nothing' : words}`);
}

/** The lines of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; others are left out. */
export function parseGpus(text: string): GpuFact[] {
  return text.split('\n').flatMap((line) => {
    const [name, driver, computeCapability, total, free] = line.split(',').map((cell) => cell.trim());
    const [totalBytes, freeBytes] = [Number(total) * MIB, Number(free) * MIB];
    if (!name || !driver || !computeCapability || !(totalBytes > 0) || !(freeBytes >= 0)) return [];
    return [{ name, driver, computeCapability, totalBytes, freeBytes }];
  });
}

async function askAddon(path: string): Promise<GpuFacts> {
  const code = `import { createRequire } from 'node:module';
    const addon = createRequire(${JSON.stringify(pathToFileURL(path).href)})(${JSON.stringify(path)});
    console.log(JSON.stringify(addon.describeDevices()));`;
  const args = ['--input-type=module', '--eval', code];
  const { outcome, exitCode, stdout, stderr } = await runProbe(process.execPath, args, TIMEOUT_MS);
  if (outcome === 'timeout') return none('the driver did not answer within 5 s', true);
  if (exitCode !== 0) return none(`the addon failed: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  const { devices, reason } = JSON.parse(stdout) as {
    devices: (Omit<GpuFact, 'driver'> & { driverVersion: string })[];
    reason: string | null;
  };
  const gpus = devices.map(({ driverVersion, ...gpu }) => ({ ...gpu, driver: `for CUDA ${driverVersion}` }));
  return gpus.length === 0
    ? none(reason ?? 'the driver reports no GPU')
    : { gpus, reason: null, isSilent: false };
}

function none(reason: string, isSilent = false): GpuFacts {
  return { gpus: [], reason, isSilent };
}
