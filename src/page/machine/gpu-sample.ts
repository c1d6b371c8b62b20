import { startProbe } from '../../hardware/probe/run-probe.ts';

/** Use of all GPUs together, each value null where the driver does not report it. */
export interface GpuSample {
  readonly gpu: number | null;
  readonly videoMemory: number | null;
  readonly encoder: number | null;
}

const QUERY = [
  '--query-gpu=utilization.gpu,memory.used,memory.total,utilization.encoder',
  '--format=csv,noheader,nounits',
];
const TIMEOUT_MS = 3_000;

/** Reads the use of the GPUs from nvidia-smi in percent; null if there is no nvidia-smi or it does not answer. */
export async function readGpuSample(): Promise<GpuSample | null> {
  const { exitCode, stdout } = await startProbe('nvidia-smi', QUERY, TIMEOUT_MS).ended;
  return exitCode === 0 ? parseGpuSample(stdout) : null;
}

/** Parses a line for each GPU. Of several, the busiest counts. */
export function parseGpuSample(text: string): GpuSample | null {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((cell) => Number.parseFloat(cell)));
  const [columns = []] = rows;
  if (columns.length < 4) return null;
  const most = (of: (row: readonly number[]) => number): number | null => {
    const known = rows.map(of).filter((value) => !Number.isNaN(value));
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    gpu: most(([use = NaN]) => use),
    videoMemory: most(([, used = NaN, total = NaN]) => (used / total) * 100),
    encoder: most(([, , , encoder = NaN]) => encoder),
  };
}
