import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeHome, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const works = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** Listens on a Unix datagram socket, which Node cannot open, and prints each message. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    word = s.recv(4096).decode().strip().replace("\\n", " ")
    # systemd-notify follows each message with an empty one and waits for its receipt.
    if word and "BARRIER" not in word: print(word, flush=True)
`;

/** Messages that systemd would receive. */
async function listenForMessages(path: string): Promise<string[]> {
  const messages: string[] = [];
  const child = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => messages.push(...text.split('\n').filter((message) => message !== '')));
  await once(child.stdout, 'data');
  return messages;
}

test('the daemon notifies systemd when it is ready, while it is alive and when it stops, but not while it hangs', async ({
  skip,
}) => {
  skip(
    !works('python3', '--version') || !works('systemd-notify', '--version'),
    'no systemd-notify or python3',
  );
  const home = makeHome(temporaryFolder());
  const socket = join(home, 'notify');
  const messages = await listenForMessages(socket);
  const pings = () => messages.filter((message) => message.includes('WATCHDOG=1')).length;
  const { child, ended } = start(['start', '--home', home], {
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: '1500000',
  });
  await expect.poll(pings, { timeout: 30_000 }).toBeGreaterThan(2);
  expect(messages.slice(0, 2)).toEqual(['listening', expect.stringContaining('READY=1')]);
  child.kill('SIGSTOP');
  await expect.poll(() => stateOf(child.pid ?? 0)).toBe('T');
  // Messages that were sent before arrive first.
  await new Promise((pass) => setTimeout(pass, 500));
  const before = pings();
  await new Promise((pass) => setTimeout(pass, 1600));
  expect(pings()).toBe(before);
  child.kill('SIGCONT');
  await expect.poll(pings, { timeout: 10_000 }).toBeGreaterThan(before);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect.poll(() => messages.at(-1)).toContain('STOPPING=1');
});

test('systemd accepts the unit file', ({ skip }) => {
  skip(!works('systemd-analyze', '--version'), 'no systemd-analyze');
  const unit = resolve(import.meta.dirname, '../../packaging/framekiln.service');
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
});

function stateOf(pid: number): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.slice(0, 1);
}
