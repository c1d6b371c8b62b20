import { execFileSync, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** A network with a link to this machine, as another machine has. */
export interface NetworkNamespace {
  /** Address of this machine on the link. */
  readonly hostAddress: string;
  /** Program, with arguments, that runs a command in the network. */
  readonly wrapper: readonly string[];
  /** Takes the link down. */
  readonly cut: () => void;
  readonly mend: () => void;
}

const ip = (...args: string[]): void =>
  void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Why no network namespace can be made here; null if one can. */
export function whyNoNamespaces(): string | null {
  const name = `fk-try-${process.pid}`;
  const { status, error } = spawnSync('ip', ['netns', 'add', name]);
  if (error !== undefined) return 'the program ip is missing (apt-get install iproute2)';
  if (status !== 0) return 'network namespaces are not permitted here';
  const link = spawnSync('ip', ['-n', name, 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'two']);
  spawnSync('ip', ['netns', 'del', name]);
  return link.status === 0 ? null : 'pairs of network interfaces are not permitted here';
}

/** Makes a network namespace until the test is over. @param number tells those of a test apart, from 0 to 63 */
export function networkNamespace(number: number): NetworkNamespace {
  const name = `fk-${process.pid}-${number}`;
  const [here, there] = [`fk${process.pid}h${number}`, `fk${process.pid}t${number}`];
  const subnet = `10.213.${process.pid % 256}`;
  const [hostAddress, otherAddress] = [`${subnet}.${4 * number + 1}`, `${subnet}.${4 * number + 2}`];
  ip('netns', 'add', name);
  onTestFinished(() => {
    spawnSync('ip', ['link', 'del', here]);
    ip('netns', 'del', name);
  });
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
  ip('address', 'add', `${hostAddress}/30`, 'dev', here);
  ip('-n', name, 'address', 'add', `${otherAddress}/30`, 'dev', there);
  ip('link', 'set', here, 'up');
  ip('-n', name, 'link', 'set', there, 'up');
  return {
    hostAddress,
    wrapper: ['ip', 'netns', 'exec', name],
    cut: () => ip('link', 'set', here, 'down'),
    mend: () => ip('link', 'set', here, 'up'),
  };
}
