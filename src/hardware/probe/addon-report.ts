import { pathToFileURL } from 'node:url';
import { runProbe } from './run-probe.ts';

/** What the CUDA addon finds. */
export interface AddonReport {
  readonly devices: readonly {
    readonly name: string;
    /** Such as `8.9`. */
    readonly computeCapability: string;
    /** The newest CUDA that the driver can run. */
    readonly driverVersion: string;
    readonly totalBytes: number;
    readonly freeBytes: number;
  }[];
  /** Why there are none; null if there are some. */
  readonly reason: string | null;
  /** The version of CUDA that the addon was built with, such as `12.9`; empty if it cannot be loaded. */
  readonly cudaVersion: string;
}

const TIMEOUT_MS = 5_000;

/**
 * Asks the CUDA addon for its GPUs. It runs in its own process, because a driver that hangs would hang the caller, and because
 * asking takes GPU memory until the process ends.
 *
 * @returns `silent` if the driver did not respond
 */
export async function askAddon(path: string): Promise<AddonReport | 'silent'> {
  const code = `import { createRequire } from 'node:module';
    const addon = createRequire(${JSON.stringify(pathToFileURL(path).href)})(${JSON.stringify(path)});
    console.log(JSON.stringify(addon.describeDevices()));`;
  const args = ['--input-type=module', '--eval', code];
  const { outcome, exitCode, stdout, stderr } = await runProbe(process.execPath, args, TIMEOUT_MS);
  if (outcome === 'timeout') return 'silent';
  if (exitCode === 0) return JSON.parse(stdout) as AddonReport;
  const line = stderr.split('\n').find((each) => each.includes('Error: '));
  const why = line?.trim() ?? (exitCode === null ? 'it crashed' : `exit code ${exitCode}`);
  return { devices: [], reason: `it cannot be loaded: ${why}`, cudaVersion: '' };
}
