import type { CapturedEnd } from '../lib/process/captured-process.ts';
import type { GpuFigures } from '../observability/metrics.ts';
import { startProbe } from './probe/run-probe.ts';

const TIMEOUT_MS = 5_000;
const COLUMNS = ['index', 'utilization.gpu', 'memory.used', 'memory.total', 'temperature.gpu'];
/** Drivers before 525 reject the whole query for these. */
const CODEC_COLUMNS = ['utilization.decoder', 'utilization.encoder'];

/**
 * Reads the figures of all GPUs from nvidia-smi; none if it fails or does not answer in time.
 *
 * @returns null if nvidia-smi is not installed
 */
export async function readGpuFigures(signal: AbortSignal): Promise<readonly GpuFigures[] | null> {
  let end = await query([...COLUMNS, ...CODEC_COLUMNS], signal);
  if (end?.outcome === 'exited' && end.exitCode !== 0) end = await query(COLUMNS, signal);
  if (end?.outcome === 'not-found') return null;
  return end?.exitCode !== 0 || signal.aborted ? [] : parseGpuFigures(end.stdout);
}

/** @returns null if the signal was aborted */
async function query(columns: readonly string[], signal: AbortSignal): Promise<CapturedEnd | null> {
  if (signal.aborted) return null;
  const args = [`--query-gpu=${columns.join(',')}`, '--format=csv,noheader,nounits'];
  const probe = startProbe('nvidia-smi', args, TIMEOUT_MS);
  const end = (): void => void probe.end();
  signal.addEventListener('abort', end);
  const result = await probe.ended;
  signal.removeEventListener('abort', end);
  return result;
}

/** Parses a line for each GPU, with memory in MiB. `[N/A]` stands for what is not known. */
export function parseGpuFigures(text: string): GpuFigures[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.flatMap((line) => {
    const [index = '', ...cells] = line.split(',').map((cell) => cell.trim());
    if (!/^\d+$/.test(index)) return [];
    const [utilization, used, total, celsius, decoder, encoder] = cells.map(numberOrNull);
    return [
      {
        ...{ index, utilizationPercent: utilization ?? null, celsius: celsius ?? null },
        ...{ usedBytes: bytesOf(used), totalBytes: bytesOf(total) },
        ...{ decoderPercent: decoder ?? null, encoderPercent: encoder ?? null },
      },
    ];
  });
}

function numberOrNull(cell: string): number | null {
  return /^\d+(?:\.\d+)?$/.test(cell) ? Number(cell) : null;
}

function bytesOf(mebibytes: number | null | undefined): number | null {
  return mebibytes === null || mebibytes === undefined ? null : mebibytes * 1024 ** 2;
}
