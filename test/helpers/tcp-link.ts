import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpLink {
  readonly port: number;
  /** Drops everything in both directions, without telling either side, until `mend` is called. */
  cut(): void;
  /** Delivers again what the cut has held up, as TCP does when a cable is plugged in again. */
  mend(): void;
}

/**
 * A cable between a client and a server on this machine that a test can cut.
 *
 * @param host address of this machine at which clients connect
 */
export async function tcpLink(target: { readonly port: number }, host = '127.0.0.1'): Promise<TcpLink> {
  let isCut = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target.port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.once('end', () => to.end());
      from.once('close', () => sockets.delete(from));
      from.on('error', () => to.destroy());
      if (isCut) from.pause();
    }
  });
  await new Promise<void>((up) => server.listen(0, host, up));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      isCut = false;
      for (const socket of sockets) socket.resume();
    },
  };
}
