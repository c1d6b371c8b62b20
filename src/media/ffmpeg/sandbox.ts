import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../../domain/errors.ts';

/** What one run of ffmpeg on a stranger's file may touch. Absolute paths. */
export interface Reach {
  /** The file that it reads. */
  readonly reads: string;
  /** The folder that it writes into. */
  readonly writesInto?: string;
  /** Devices of a graphics GPU and what describes them; only where it decodes on one. */
  readonly devices?: readonly string[];
}

/** Where programs and their libraries lie; what is missing is left out. */
const SYSTEM_FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/nix/store'];
const SYSTEM_FILES = ['/etc/ld.so.cache', '/etc/alternatives'];

/**
 * Arguments of bubblewrap that run a program without model and with nothing of the disk but the system's programs,
 * its input and its output folder (R29). Pipes are inherited. It dies with us.
 *
 * @param program absolute
 */
export function sandboxArguments(program: string, { reads, writesInto, devices = [] }: Reach): string[] {
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

/** With its libraries where it has a folder in `/opt`; not all of `/opt`, where a home may lie. */
function ownFolder(program: string): string {
  return /^\/opt\/[^/]+(?=\/)/.exec(program)?.[0] ?? dirname(program);
}

/** So often it is looked whether a process has stopped; each look takes some 20 us. */
const LOOKS = 1_000;

/**
 * Ends a running bubblewrap with all that is in it. Its `--die-with-parent` does that too, but not for a sandbox that is
 * just being set up: killed then, bubblewrap leaves a program behind that nobody ends.
 */
export function killSandbox(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP');
    // A stopped process starts no further ones.
    for (let look = 0; look < LOOKS && !/\) [TtZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); look++);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    for (const child of children) process.kill(Number(child), 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ESRCH', 'ENOENT'].includes(codeOf(error));
}
