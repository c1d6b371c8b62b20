// `npm run release -- [--out FOLDER] [--without-cuda]`: builds the program and the prebuilt addons for this platform, and
// packs them as npm packages, with their checksums in SHA256SUMS. docs/decisions/0065-prebuilt-addons.md says why.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuild } from '../setup/build.mjs';
import { runCommand } from '../setup/run-command.mjs';
import { buildCpuAddon, buildCudaAddon } from './build-addons.mjs';
import { stageAddon, stageProgram } from './stage-packages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = {
  out: { type: 'string', default: 'release' },
  'without-cuda': { type: 'boolean', default: false },
};
const { values } = parseArgs({ options });
const out = resolve(values.out);
const staging = mkdtempSync(join(tmpdir(), 'framekiln-release-'));
try {
  await ensureBuild(root);
  const addons = [await buildCpuAddon(root), ...(values['without-cuda'] ? [] : [await buildCudaAddon(root)])];
  mkdirSync(out, { recursive: true });
  const packages = [];
  for (const addon of addons) {
    const folder = join(staging, addon.name);
    stageAddon(root, addon, folder);
    packages.push(await pack(folder));
  }
  const program = join(staging, 'program');
  const names = ['cpu', 'cuda'].map(
    (name) => `@framekiln/native-${name}-${process.platform}-${process.arch}`,
  );
  stageProgram(root, names, program);
  packages.push(await pack(program));
  writeFileSync(join(out, 'SHA256SUMS'), packages.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join(''));
  for (const { file, size } of packages) console.log(`${file}  ${(size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

async function pack(folder) {
  const { ok, output } = await runCommand('npm', ['pack', folder, '--silent', '--pack-destination', out]);
  if (!ok) throw new Error(`\`npm pack\` failed:\n${output.trimEnd()}`);
  const file = output.trim().split('\n').at(-1) ?? '';
  const bytes = readFileSync(join(out, file));
  return { file, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
