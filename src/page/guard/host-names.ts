import { isIP } from 'node:net';
import { hostname } from 'node:os';

/**
 * Whether a request may name this host. An attack by DNS rebinding needs a domain of the attacker in the Host header, so IP
 * addresses, `localhost` and the names of this machine are safe, and every other name has to be listed.
 *
 * @param host the Host header, with or without a port
 * @param names further names that are allowed
 */
export function isAllowedHost(host: string | undefined, names: readonly string[]): boolean {
  const name = hostNameOf(host);
  if (name === null) return false;
  if (isIP(name) !== 0) return true;
  const own = hostname().toLowerCase();
  return ['localhost', own, `${own}.local`, ...names.map((each) => each.toLowerCase())].includes(name);
}

/** Whether a Host header names the loopback interface. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = hostNameOf(host);
  return (
    name === 'localhost' || name === '::1' || (name !== null && isIP(name) === 4 && name.startsWith('127.'))
  );
}

/** The name in a Host header, in lower case and without port and brackets; null if the header is malformed. */
function hostNameOf(host: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '') ?? null;
}
