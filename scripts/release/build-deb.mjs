// `npm run release:deb -- [--out FOLDER] [--without-cuda]`: builds a package for Debian and Ubuntu, for this architecture and
// the major version of Node that runs this script. docs/decisions/0081-debian-package-and-containers.md says why.
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../setup/run-command.mjs';
import { buildRelease } from './build-release.mjs';
import { stageDeb } from './stage-deb.mjs';

await buildRelease(async ({ root, addons, out, staging }) => {
  const architecture = (await run('dpkg', ['--print-architecture'])).trim();
  const tree = join(staging, 'tree');
  // The temporary folder is private, the folders of the package are not.
  process.umask(0o022);
  mkdirSync(tree);
  const version = await stageDeb(root, addons, architecture, tree);
  chmodSync(tree, 0o755);
  const file = `framekiln_${version}_${architecture}.deb`;
  await run('dpkg-deb', ['--root-owner-group', '-Zxz', '-z6', '--build', tree, join(out, file)]);
  console.log(`${file}  ${(statSync(join(out, file)).size / 1e6).toFixed(1)} MB`);
});

async function run(program, args) {
  const { ok, output } = await runCommand(program, args);
  if (!ok) throw new Error(`\`${program} ${args.join(' ')}\` failed:\n${output.trimEnd()}`);
  return output;
}
