import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';

const PROGRAMS = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'];

/** Why Ceph's S3 store cannot be started on this machine; null if it can. */
export function whyNoRadosgw(): string | null {
  const missing = PROGRAMS.filter((name) => spawnSync(name, ['--version']).status !== 0);
  if (missing.length === 0) return null;
  return `${missing.join(', ')} cannot be started (apt-get install radosgw ceph-mon ceph-osd ceph-common)`;
}

/**
 * Starts Ceph with one monitor, one OSD that keeps its objects in memory, and the S3 gateway, for one test.
 *
 * @returns the address of the store; access key and secret are `test`
 */
export async function startRadosgw(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-ceph-'));
  const path = (name: string): string => join(folder, name);
  for (const name of ['mon', 'osd', 'run']) mkdirSync(path(name));
  const [monitor, port] = [await freePort(), await freePort()];
  const fsid = randomUUID();
  writeFileSync(path('ceph.conf'), configuration(path, { fsid, monitor, port }));
  const call = (program: string, ...args: string[]): void =>
    void execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 });
  const conf = ['-c', path('ceph.conf')];
  const log = openSync(path('output'), 'a');
  const daemon = (program: string, ...args: string[]): void => {
    const child = spawn(program, [...conf, ...args, '-f'], { stdio: ['ignore', log, log] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await exited;
    });
  };
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  call('monmaptool', '--create', '--addv', 'a', `[v1:127.0.0.1:${monitor}]`, '--fsid', fsid, path('monmap'));
  call('ceph-mon', ...conf, '-i', 'a', '--mkfs', '--monmap', path('monmap'));
  daemon('ceph-mon', '-i', 'a');
  const osd = randomUUID();
  call('ceph', ...conf, 'osd', 'new', osd);
  call('ceph-osd', ...conf, '-i', '0', '--mkfs', '--osd-uuid', osd);
  daemon('ceph-osd', '-i', '0');
  daemon('radosgw', '-n', 'client.rgw');
  const url = `http://127.0.0.1:${port}`;
  const isUp = (): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isUp, { timeout: 120_000, interval: 500 }).toBe(true);
  const user = ['--uid=test', '--display-name=test', '--access-key=test', '--secret-key=test'];
  call('radosgw-admin', ...conf, '-n', 'client.rgw', 'user', 'create', ...user);
  return url;
}

function configuration(
  path: (name: string) => string,
  { fsid, monitor, port }: { fsid: string; monitor: number; port: number },
): string {
  return `[global]
fsid = ${fsid}
mon host = v1:127.0.0.1:${monitor}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms bind msgr2 = false
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
mon data = ${path('mon')}
osd data = ${path('osd')}
run dir = ${path('run')}
admin socket = ${path('run')}/$name.asok
log file = ${path('$name.log')}
mon cluster log file = ${path('cluster.log')}
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw data = ${path('run')}
`;
}
