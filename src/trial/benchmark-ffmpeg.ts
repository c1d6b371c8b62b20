import { tmpdir } from 'node:os';
import { childEnvironment } from '../config/environment.ts';
import { InternalError } from '../domain/errors.ts';
import { spawnChild } from '../lib/process/spawn-child.ts';

export interface FfmpegTimes {
  /** CPU time of all threads. */
  readonly cpuMs: number;
  /** Without starting and loading ffmpeg. */
  readonly elapsedMs: number;
}

/**
 * Runs ffmpeg with its own stopwatch.
 *
 * @throws InternalError with the last line that ffmpeg printed, if it fails or takes longer than `timeoutMs`
 */
export async function benchmarkFfmpeg(args: readonly string[], timeoutMs: number): Promise<FfmpegTimes> {
  // Not in a group of its own, so that it ends with the measuring process.
  const ffmpeg = spawnChild(
    ['ffmpeg', '-hide_banner', '-nostdin', '-benchmark', ...args, '-f', 'null', '-'],
    { env: childEnvironment(), cwd: tmpdir() },
    { stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' },
  );
  let stderr = '';
  ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const { exitCode } = await ffmpeg;
  const [, user, system, real] = /bench: utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s/.exec(stderr) ?? [];
  if (exitCode !== 0 || user === undefined)
    throw new InternalError(`ffmpeg could not encode a test pattern: ${stderr.trim().split('\n').at(-1)}`);
  return { cpuMs: (Number(user) + Number(system)) * 1000, elapsedMs: Number(real) * 1000 };
}
