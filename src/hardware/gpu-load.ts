import type { CapturedEnd } from '../lib/process/captured-process.ts';
import { startProbe } from './probe/run-probe.ts';

/** A process on a GPU. */
export interface GpuProcess {
  readonly pid: number;
  readonly name: string;
  /** Share of the last sample period in which its kernels ran, 0 to 100; null if the driver does not report it. */
  readonly percent: number | null;
}

export interface GpuLoad {
  /** Temperature of the hottest GPU; null if the driver does not report it. */
  readonly celsius: number | null;
  readonly processes: readonly GpuProcess[];
}

const TIMEOUT_MS = 5_000;

/** Reads the load of the GPUs from nvidia-smi. `missing`: it is not installed; `silent`: it hung, failed or was aborted. */
export async function readGpuLoad(signal: AbortSignal): Promise<GpuLoad | 'missing' | 'silent'> {
  const query = ['--query-gpu=temperature.gpu', '--format=csv,noheader,nounits'];
  const heat = await ask(query, signal);
  if (heat.outcome === 'not-found') return 'missing';
  if (heat.exitCode !== 0 || signal.aborted) return 'silent';
  const monitor = await ask(['pmon', '-c', '1', '-s', 'u'], signal);
  return {
    celsius: parseHottest(heat.stdout),
    // On WSL2, the driver does not list processes.
    processes: monitor.exitCode === 0 ? parseProcesses(monitor.stdout) : [],
  };
}

async function ask(args: readonly string[], signal: AbortSignal): Promise<CapturedEnd> {
  const probe = startProbe('nvidia-smi', args, TIMEOUT_MS);
  const end = (): void => void probe.end();
  signal.addEventListener('abort', end);
  const ended = await probe.ended;
  signal.removeEventListener('abort', end);
  return ended;
}

/** The highest temperature in output with one temperature per line. */
export function parseHottest(text: string): number | null {
  const celsius = text.split('\n').map((line) => Number.parseInt(line, 10));
  const known = celsius.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * The table of `nvidia-smi pmon`. Its columns differ between drivers, so they are found by the first line, and the command,
 * which may have spaces, is the last of them. `-` stands for what is not known.
 */
export function parseProcesses(text: string): GpuProcess[] {
  const lines = text.split('\n').map((line) => line.trim());
  const columns = lines.find((line) => /^#\s*gpu\b/i.test(line))?.replace(/^#\s*/, '');
  if (columns === undefined) return [];
  const names = columns.split(/\s+/);
  const [pidAt, percentAt, nameAt] = ['pid', 'sm', 'command'].map((name) => names.indexOf(name));
  return lines.flatMap((line) => {
    const cells = line.split(/\s+/);
    const pid = Number(cells[pidAt ?? -1]);
    if (line.startsWith('#') || !Number.isSafeInteger(pid) || pid <= 0) return [];
    const percent = Number(cells[percentAt ?? -1]);
    return [{ pid, name: cells.slice(nameAt).join(' '), percent: Number.isNaN(percent) ? null : percent }];
  });
}
