import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeHome, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const works = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** A datagram socket of the file system, which Node cannot open; prints every word that comes. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    word = s.recv(4096).decode().strip().replace("\\n", " ")
    # systemd-notify sends an empty word behind each, to wait for its receipt.
    if word and "BARRIER" not in word: print(word, flush=True)
`;

/** What systemd would hear. */
async function listen(path: string): Promise<string[]> {
  const heard: string[] = [];
  const child = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => heard.push(...text.split('\n').filter((word) => word !== '')));
  await once(child.stdout, 'data');
  return heard;
}

test('R24: systemd hears when the daemon is ready, that it lives, nothing while it is stopped, and its end', async ({
  skip,
}) => {
  skip(
    !works('python3', '--version') || !works('systemd-notify', '--version'),
    'no systemd-notify or python3',
  );
  const home = makeHome(temporaryFolder());
  const socket = join(home, 'notify');
  const heard = await listen(socket);
  const pings = () => heard.filter((word) => word.includes('WATCHDOG=1')).length;
  const { child, ended } = start(['start', '--home', home], {
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: '1500000',
  });
  await expect.poll(pings, { timeout: 30_000 }).toBeGreaterThan(2);
  expect(heard.slice(0, 2)).toEqual(['listening', expect.stringContaining('READY=1')]);
  child.kill('SIGSTOP');
  await expect.poll(() => stateOf(child.pid ?? 0)).toBe('T');
  // Words on their way arrive first.
  await new Promise((pass) => setTimeout(pass, 1000));
  const before = pings();
  await new Promise((pass) => setTimeout(pass, 2000));
  expect(pings()).toBe(before);
  child.kill('SIGCONT');
  await expect.poll(pings, { timeout: 10_000 }).toBeGreaterThan(before);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect.poll(() => heard.at(-1)).toContain('STOPPING=1');
});

test('the unit file is one that systemd takes', ({ skip }) => {
  skip(!works('systemd-analyze', '--version'), 'no systemd-analyze');
  const unit = resolve(import.meta.dirname, '../../packaging/framekiln.service');
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
});

function stateOf(pid: number): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.slice(0, 1);
}
