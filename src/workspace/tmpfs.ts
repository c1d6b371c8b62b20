import { mkdir, readFile, rm } from 'node:fs/promises';
import { childEnvironment } from '../config/environment.ts';
import { toError } from '../domain/errors.ts';
import { runCaptured } from '../lib/process/captured-process.ts';

const MOUNT_TIMEOUT_MS = 30_000;

/** Mounts a tmpfs on a new folder. @returns null, or the reason why this is not possible */
export async function tryMountTmpfs(path: string, sizeBytes: number): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'requires root';
  await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    const options = `size=${sizeBytes},mode=0700,nosuid,nodev,noexec`;
    await run('mount', ['-t', 'tmpfs', '-o', options, 'framekiln', path]);
    return null;
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    return toError(error).message;
  }
}

/** Detaches a tmpfs at once; its memory is freed when the last process has closed its files, such as a dying ffmpeg. */
export async function unmountTmpfs(path: string): Promise<void> {
  await run('umount', ['--lazy', path]);
}

export async function isMountPoint(path: string): Promise<boolean> {
  const escaped = path
    .replaceAll('\\', '\\134')
    .replaceAll(' ', '\\040')
    .replaceAll('\t', '\\011')
    .replaceAll('\n', '\\012');
  return (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .some((line) => line.split(' ')[1] === escaped);
}

/** @throws Error with the last line that the program wrote to standard error */
async function run(program: string, args: readonly string[]): Promise<void> {
  const end = await runCaptured([program, ...args], { env: childEnvironment(), timeoutMs: MOUNT_TIMEOUT_MS });
  if (end.exitCode !== 0)
    throw new Error(end.stderr.trim().split('\n').at(-1) || `${program}: ${end.outcome}`);
}
