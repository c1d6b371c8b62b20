import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts a PostgreSQL server in a temporary folder. It refuses root, for whom it runs as the user postgres or nobody. */
export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-postgres-'));
  const user = process.getuid() === 0 ? unprivileged() : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const call = (program, ...args) =>
    execFileSync(join(binFolder(), program), args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: folder,
      ...user,
    });
  call('initdb', '--pgdata', data, '--username=kiln', '--auth=trust', '--encoding=UTF8', '--no-sync');
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
  call('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start');
  let databases = 0;
  return {
    /** @returns the address of a new database */
    createDatabase() {
      const name = `bench${++databases}`;
      call('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'kiln', name);
      return `postgresql://kiln@127.0.0.1:${port}/${name}`;
    },
    stop() {
      call('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
      rmSync(folder, { recursive: true });
    },
  };
}

/** The folder of the newest server; Debian keeps its programs out of PATH. */
function binFolder() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(root, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
  return found ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
}

function unprivileged() {
  const idOf = (option, name) =>
    Number(execFileSync('id', [option, name], { encoding: 'utf8', stdio: 'pipe' }));
  for (const name of ['postgres', 'nobody'])
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) };
    } catch {
      // This machine has no such user.
    }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody.');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
