import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import { buildCpuAddon, buildCudaAddon } from './build-addons.mjs';

const options = {
  out: { type: 'string', default: 'release' },
  'without-cuda': { type: 'boolean', default: false },
};

/**
 * Builds the program and its addons as the command line asks (`--out FOLDER`, `--without-cuda`), and packs them.
 *
 * @param {(built: { root: string, addons: object[], out: string, staging: string }) => Promise<void>} pack gets an empty
 *   folder `staging`, which is removed afterwards
 */
export async function buildRelease(pack) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { values } = parseArgs({ options });
  const out = resolve(values.out);
  const staging = mkdtempSync(join(tmpdir(), 'framekiln-release-'));
  // Two releases may be built at the same time.
  const cpuFolder = `build-release-${process.pid}`;
  try {
    await ensureBuild(root);
    const addons = [
      await buildCpuAddon(root, cpuFolder),
      ...(values['without-cuda'] ? [] : [await buildCudaAddon(root)]),
    ];
    mkdirSync(out, { recursive: true });
    await pack({ root, addons, out, staging });
  } finally {
    rmSync(staging, { recursive: true, force: true });
    rmSync(join(root, 'native-cpu', cpuFolder), { recursive: true, force: true });
  }
}
