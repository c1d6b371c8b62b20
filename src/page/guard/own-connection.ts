import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

const known = new WeakMap<Socket, Promise<boolean>>();

/**
 * Whether a program of the same user, on this machine, is at the other end of a connection. Other users of the machine can
 * reach the loopback interface too, so a loopback address alone proves nothing.
 */
export function isOwnConnection(socket: Socket): Promise<boolean> {
  let answer = known.get(socket);
  if (answer === undefined) {
    answer = readPeerUser(socket)
      .then((user) => user !== null && user === process.getuid?.())
      .catch(() => false);
    known.set(socket, answer);
  }
  return answer;
}

/** User ID of the process that opened a loopback connection, from the socket tables of the kernel; null if not found. */
async function readPeerUser({ remoteAddress, remotePort, localPort }: Socket): Promise<number | null> {
  if (remoteAddress === undefined || remotePort === undefined || localPort === undefined) return null;
  if (!/^(127\.|::1$|::ffff:127\.)/.test(remoteAddress)) return null;
  // A browser that connects to an IPv4 address has an IPv4 socket, even if the server listens on both.
  const table = remoteAddress === '::1' ? '/proc/net/tcp6' : '/proc/net/tcp';
  return findUser(await readFile(table, 'latin1'), remotePort, localPort);
}

/**
 * The user of the socket with these ports in the text of /proc/net/tcp; null if there is none, or more than one user has
 * such a socket (on different loopback addresses).
 */
export function findUser(table: string, ownPort: number, peerPort: number): number | null {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const rows = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local, remote]) => local?.endsWith(`:${hex(ownPort)}`) && remote?.endsWith(`:${hex(peerPort)}`),
    );
  const users = new Set(rows.map((fields) => Number(fields[7])));
  const [user] = users;
  return users.size === 1 && user !== undefined ? user : null;
}
