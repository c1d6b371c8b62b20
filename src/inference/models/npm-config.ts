import Config from '@npmcli/config';
import known from '@npmcli/config/lib/definitions/index.js';
import { programRoot } from '../../config/home.ts';
import { npmEnvironment } from '../../config/environment.ts';

/** The configuration that npm itself would use: registry, token, proxy and certificates, from `.npmrc` files and variables. */
export async function readNpmConfig(): Promise<Readonly<Record<string, unknown>>> {
  const config = new Config({
    ...{ npmPath: programRoot, ...known },
    ...{ argv: [], env: npmEnvironment() },
  });
  await config.load();
  // Pauses of minutes between attempts, also after a wrong checksum, which another attempt does not change.
  return Object.fromEntries(Object.entries(config.flat).filter(([key]) => !/^(fetchRetr|retry)/.test(key)));
}
