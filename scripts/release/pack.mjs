// `npm run release -- [--out FOLDER] [--without-cuda]`: builds the program and the prebuilt addons for this platform, and
// packs them as npm packages, with their checksums in SHA256SUMS. docs/decisions/0065-prebuilt-addons.md says why.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../setup/run-command.mjs';
import { buildRelease } from './build-release.mjs';
import { stageAddon, stageProgram } from './stage-packages.mjs';

await buildRelease(async ({ root, addons, out, staging }) => {
  const packages = [];
  for (const addon of addons) {
    const folder = join(staging, addon.name);
    stageAddon(root, addon, folder);
    packages.push(await pack(folder, out));
  }
  const program = join(staging, 'program');
  const names = ['cpu', 'cuda'].map(
    (name) => `@framekiln/native-${name}-${process.platform}-${process.arch}`,
  );
  stageProgram(root, names, program);
  packages.push(await pack(program, out));
  writeFileSync(join(out, 'SHA256SUMS'), packages.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join(''));
  for (const { file, size } of packages) console.log(`${file}  ${(size / 1e6).toFixed(1)} MB`);
});

async function pack(folder, out) {
  const { ok, output } = await runCommand('npm', ['pack', folder, '--silent', '--pack-destination', out]);
  if (!ok) throw new Error(`\`npm pack\` failed:\n${output.trimEnd()}`);
  const file = output.trim().split('\n').at(-1) ?? '';
  const bytes = readFileSync(join(out, file));
  return { file, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
