import { dirname } from 'node:path';

/** What one run of ffmpeg on a stranger's file may touch. Absolute paths. */
export interface Reach {
  /** The file that it reads. */
  readonly reads: string;
  /** The folder that it writes into. */
  readonly writesInto?: string;
}

/** Where programs and their libraries lie; what is missing is left out. */
const SYSTEM_FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/opt', '/nix/store'];
const SYSTEM_FILES = ['/etc/ld.so.cache', '/etc/alternatives'];

/**
 * Arguments of bubblewrap that run a program without network and with nothing of the disk but the system's programs,
 * its input and its output folder (R29). Pipes are inherited. It dies with us.
 *
 * @param program absolute
 */
export function sandboxArguments(program: string, { reads, writesInto }: Reach): string[] {
  const place = [...SYSTEM_FOLDERS, ...SYSTEM_FILES, dirname(program)];
  return [
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    ...place.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--chdir', '/tmp'],
    ...(writesInto === undefined ? [] : ['--bind', writesInto, writesInto]),
    ...['--ro-bind', reads, reads],
    '--',
    program,
  ];
}
