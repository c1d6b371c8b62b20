import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { straceCalls } from './strace-calls.ts';

/** System calls that create a file, open one for writing, or talk to another process. */
const CALLS =
  'openat,openat2,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,' +
  'connect,bind,sendto,sendmsg,sendmmsg,io_uring_setup';

/** What a program did, without duplicates. */
export interface Audit {
  readonly status: number | null;
  readonly stderr: string;
  /** Paths of files and folders that were created, renamed into place or opened for writing, whether or not that succeeded. */
  readonly written: readonly string[];
  /** Addresses outside this machine that a socket was connected, bound or sent to. */
  readonly addresses: readonly string[];
}

/**
 * Runs a program and all that it starts under strace.
 *
 * @param environment variables to change; those that are undefined are removed
 */
export async function audit(
  command: readonly string[],
  environment: Record<string, string | undefined> = {},
): Promise<Audit> {
  const folder = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
  try {
    // ffmpeg is observed without a sandbox, which would hide what it tries to do.
    writeFileSync(join(folder, 'bwrap'), '#!/bin/sh\nexit 1\n');
    chmodSync(join(folder, 'bwrap'), 0o755);
    const log = join(folder, 'calls');
    const { status, stderr } = spawnSync(
      'strace',
      ['-f', '--seccomp-bpf', '-y', '-s', '4096', '-o', log, '-e', `trace=${CALLS}`, ...command],
      {
        encoding: 'utf8',
        env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, ...environment },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    return { status, stderr, ...(await readLog(log)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function readLog(log: string): Promise<Pick<Audit, 'written' | 'addresses'>> {
  const written = new Set<string>();
  const addresses = new Set<string>();
  for await (const call of straceCalls(log)) {
    const path = writtenPath(call);
    if (path !== null) written.add(path);
    for (const address of foreignAddresses(call)) addresses.add(address);
  }
  return { written: [...written].sort(), addresses: [...addresses].sort() };
}

/**
 * The path that a call creates or opens for writing; null if it does neither. A relative path of a call without a
 * folder stays relative.
 */
function writtenPath(call: string): string | null {
  const [, name = '', args = ''] = /^(\w+)\((.*)$/.exec(call) ?? [];
  if (/^(connect|bind|send\w+)?$/.test(name)) return null;
  // A program could do all of this through io_uring, which strace does not see.
  if (name === 'io_uring_setup') return 'io_uring';
  if (/^open/.test(name) && !/\bO_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)\b/.test(args)) return null;
  // What exists already is not created.
  if (/ = -1 EEXIST /.test(call)) return null;
  const paths = [...args.matchAll(/(?:\w+<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)];
  const [, folder, path = ''] = paths.at(-1) ?? [];
  return folder === undefined ? path : resolve(folder, path);
}

/** Addresses in a call that are neither local sockets nor on loopback. */
function foreignAddresses(call: string): string[] {
  if (!/^(connect|bind|sendto|sendmsg|sendmmsg)\(/.test(call)) return [];
  return [...call.matchAll(/\{(sa_family=(\w+)[^}]*)\}/g)]
    .filter(([, , family]) => family !== 'AF_UNIX' && family !== 'AF_NETLINK' && family !== 'AF_UNSPEC')
    .map(([, text = '']) => /(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"/.exec(text)?.[1] ?? text)
    .filter((address) => !/^(127\.|(::ffff:)?127\.|::1$)/.test(address));
}
