import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../../domain/errors.ts';

/** The files and devices that one run of ffmpeg on an untrusted file may access. Absolute paths. */
export interface SandboxAccess {
  /** The file to read. */
  readonly reads: string;
  /** The folder to write to. */
  readonly writesInto?: string;
  /** Device files of a GPU and the files that describe it; only for decoding on the GPU. */
  readonly devices?: readonly string[];
}

/** Folders of programs and libraries; missing ones are skipped. */
const SYSTEM_FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/nix/store'];
const SYSTEM_FILES = ['/etc/ld.so.cache', '/etc/alternatives'];

/**
 * Arguments of bubblewrap that run a program without network, and with nothing of the disk but the system's programs, the
 * input file and the output folder. Pipes are inherited. The sandbox ends with this process.
 *
 * @param program absolute path
 */
export function sandboxArguments(
  program: string,
  { reads, writesInto, devices = [] }: SandboxAccess,
): string[] {
  const place = [...SYSTEM_FOLDERS, ...SYSTEM_FILES, ownFolder(program)];
  return [
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    ...place.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--chdir', '/tmp'],
    ...devices.flatMap((path) => [path.startsWith('/dev/') ? '--dev-bind-try' : '--ro-bind-try', path, path]),
    ...(writesInto === undefined ? [] : ['--bind', writesInto, writesInto]),
    ...['--ro-bind', reads, reads],
    '--',
    program,
  ];
}

/** The folder of a program, or its package in `/opt`. Not all of `/opt`, which may hold a home. */
function ownFolder(program: string): string {
  return /^\/opt\/[^/]+(?=\/)/.exec(program)?.[0] ?? dirname(program);
}

/** How often to check whether a process has stopped; one check takes about 20 us. */
const MAX_CHECKS = 1_000;

/**
 * Kills a running bubblewrap and everything in it. `--die-with-parent` does the same, except while a sandbox is being set
 * up: killed at that moment, bubblewrap leaves a running program behind.
 */
export function killSandbox(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP');
    // A stopped process starts no new children.
    for (
      let check = 0;
      check < MAX_CHECKS && !/\) [TtZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      check++
    );
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    for (const child of children) process.kill(Number(child), 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ESRCH', 'ENOENT'].includes(codeOf(error));
}
