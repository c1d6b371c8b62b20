import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { childEnvironment } from '../config/environment.ts';
import { toError } from '../domain/errors.ts';
import { runCaptured } from '../lib/process/captured-process.ts';

const MOUNT_TIMEOUT_MS = 30_000;

/**
 * Mounts a tmpfs on an empty folder.
 *
 * @param name shown as the source of the mount
 * @returns null, or the reason why this is not possible
 */
export async function tryMountTmpfs(name: string, path: string, sizeBytes: number): Promise<string | null> {
  try {
    const options = `size=${sizeBytes},mode=0700,nosuid,nodev,noexec`;
    await run('mount', ['-t', 'tmpfs', '-o', options, name, path]);
    return null;
  } catch (error) {
    return toError(error).message;
  }
}

/** Whether this process may mount and unmount. */
export function mayMount(): boolean {
  return process.geteuid?.() === 0;
}

/** Detaches a tmpfs at once; its memory is freed when the last process has closed its files, such as a dying ffmpeg. */
export async function unmountTmpfs(path: string): Promise<void> {
  await run('umount', ['--lazy', path]);
}

/** Whether another file system is mounted on a folder. */
export async function isMountPoint(path: string): Promise<boolean> {
  return (await stat(path)).dev !== (await stat(dirname(path))).dev;
}

/** Mount points of all tmpfs with this name. */
export async function mountsNamed(name: string): Promise<string[]> {
  return (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([source, , type]) => source === name && type === 'tmpfs')
    .map(([, path = '']) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))),
    );
}

/** Runs a program. @throws Error with the last line that the program wrote to standard error */
async function run(program: string, args: readonly string[]): Promise<void> {
  const end = await runCaptured([program, ...args], { env: childEnvironment(), timeoutMs: MOUNT_TIMEOUT_MS });
  if (end.exitCode !== 0)
    throw new Error(end.stderr.trim().split('\n').at(-1) || `${program}: ${end.outcome}`);
}
