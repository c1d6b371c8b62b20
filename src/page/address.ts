import { isIPv6 } from 'node:net';
import type { Settings } from '../config/settings.ts';

/** The address of the page for a browser on this machine. */
export function pageAddress({ host, port }: Pick<Settings['page'], 'host' | 'port'>): string {
  const name = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}/`;
}
