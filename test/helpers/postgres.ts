import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';

/** Why PostgreSQL cannot be started on this machine; null if it can. */
export function whyNoPostgres(): string | null {
  if (binFolder() === null) return 'PostgreSQL is not installed (apt-get install postgresql)';
  return process.getuid?.() === 0 && unprivileged() === null
    ? 'PostgreSQL does not run as root, and there is neither a user postgres nor nobody'
    : null;
}

export interface Postgres {
  /** Address of an empty database. */
  readonly url: string;
  /** Kills the server like a power cut, and starts it again on the same port. */
  readonly restart: () => void;
  readonly stop: () => void;
  readonly start: () => void;
}

/** Starts a PostgreSQL server of its own, on a free port of this machine, for one test. */
export async function startPostgres(onEnd: (stop: () => void) => void = onTestFinished): Promise<Postgres> {
  const user = process.getuid?.() === 0 ? unprivileged() : null;
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-postgres-'));
  if (user !== null) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const call = (program: string, ...args: string[]): void =>
    void execFileSync(join(binFolder() ?? '', program), args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
      ...(user ?? {}),
    });
  call('initdb', '--pgdata', data, '--username=kiln', '--auth=trust', '--encoding=UTF8', '--no-sync');
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
  const start = (): void =>
    call('pg_ctl', '-D', data, '-w', '-t', '60', '-l', join(folder, 'log'), '-o', options, 'start');
  const stop = (): void => call('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
  onEnd(() => {
    if (existsSync(join(data, 'postmaster.pid'))) stop();
    rmSync(folder, { recursive: true, force: true });
  });
  start();
  const restart = (): void => {
    stop();
    start();
  };
  return { url: `postgresql://kiln@127.0.0.1:${port}/postgres`, restart, stop, start };
}

/** The folder of the newest server; Debian keeps its programs out of PATH. */
function binFolder(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(root, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
  if (found !== undefined) return found;
  const { status, stdout } = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  return status === 0 && existsSync(join(stdout.trim(), 'initdb')) ? stdout.trim() : null;
}

function unprivileged(): { uid: number; gid: number } | null {
  for (const name of ['postgres', 'nobody']) {
    const { status, stdout } = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const group = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (status === 0) return { uid: Number(stdout), gid: Number(group.stdout) };
  }
  return null;
}
