// `npm run release:deb -- [--out FOLDER] [--without-cuda]`: builds a package for Debian and Ubuntu, for this architecture and
// the major version of Node that runs this script. docs/decisions/0081-debian-package-and-containers.md says why.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import { runCommand } from '../setup/run-command.mjs';
import { buildCpuAddon, buildCudaAddon } from './build-addons.mjs';
import { stageDeb } from './stage-deb.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = {
  out: { type: 'string', default: 'release' },
  'without-cuda': { type: 'boolean', default: false },
};
const { values } = parseArgs({ options });
const out = resolve(values.out);
const staging = mkdtempSync(join(tmpdir(), 'framekiln-deb-'));
try {
  await ensureBuild(root);
  const addons = [await buildCpuAddon(root), ...(values['without-cuda'] ? [] : [await buildCudaAddon(root)])];
  const architecture = (await run('dpkg', ['--print-architecture'])).trim();
  const tree = join(staging, 'tree');
  // The temporary folder is private, the folders of the package are not.
  process.umask(0o022);
  mkdirSync(tree);
  const version = await stageDeb(root, addons, architecture, tree);
  chmodSync(tree, 0o755);
  mkdirSync(out, { recursive: true });
  const file = `framekiln_${version}_${architecture}.deb`;
  await run('dpkg-deb', ['--root-owner-group', '-Zxz', '-z6', '--build', tree, join(out, file)]);
  console.log(`${file}  ${(statSync(join(out, file)).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

async function run(program, args) {
  const { ok, output } = await runCommand(program, args);
  if (!ok) throw new Error(`\`${program} ${args.join(' ')}\` failed:\n${output.trimEnd()}`);
  return output;
}
