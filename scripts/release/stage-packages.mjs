import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What of package.json is for developers only. */
const NOT_PUBLISHED = ['private', 'scripts', 'devDependencies', 'allowScripts', 'overrides'];

const PURPOSE = {
  cpu: 'the kernels that run models on the CPU',
  cuda: 'the kernels that run models on an NVIDIA GPU (no CUDA toolkit needed)',
};

/**
 * Lays out the package of a prebuilt addon in a folder.
 *
 * @param {string} root the project's folder
 * @param {import('./build-addons.mjs').BuiltAddon} addon
 * @param {string} folder
 */
export function stageAddon(root, { name, path, build }, folder) {
  const { version, license } = readManifest(root);
  const file = basename(path);
  mkdirSync(folder, { recursive: true });
  cpSync(path, join(folder, file));
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const platform = `${process.platform}-${process.arch}`;
  writeJson(join(folder, 'package.json'), {
    name: `@framekiln/native-${name}-${platform}`,
    version,
    license,
    description: `Part of framekiln: ${PURPOSE[name]}`,
    os: [process.platform],
    cpu: [process.arch],
    libc: ['glibc'],
    files: [file],
    // What it was built with, and the oldest glibc and driver that can load it.
    build,
  });
  const needs = [
    `glibc ${build.glibc}`,
    ...(build.driver === undefined ? [] : [`NVIDIA driver ${build.driver}`]),
  ];
  writeFileSync(
    join(folder, 'README.md'),
    `# Framekiln for ${platform}: ${PURPOSE[name]}\n\nThe package \`framekiln\` brings this one along. It needs ${needs.join(' and ')} or newer.\n`,
  );
}

/**
 * Lays out the package `framekiln` in a folder, with the addons as optional dependencies of the same version: npm installs
 * those that fit the platform.
 *
 * @param {string} root the project's folder, with dist/
 * @param {string[]} addonPackages names
 * @param {string} folder
 */
export function stageProgram(root, addonPackages, folder) {
  const manifest = readManifest(root);
  mkdirSync(folder, { recursive: true });
  const names = ['README.md', 'LICENSE', ...manifest.files.filter((name) => !name.startsWith('!'))];
  // npm leaves these out too, but only after they were copied here, and dpkg does not; a home may have many videos.
  const leftOut = manifest.files
    .filter((name) => name.startsWith('!'))
    .map((name) => join(root, name.slice(1)));
  const filter = (path) => !leftOut.includes(path) && !path.endsWith('.map');
  for (const name of names) cpSync(join(root, name), join(folder, name), { recursive: true, filter });
  const published = Object.entries(manifest).filter(([key]) => !NOT_PUBLISHED.includes(key));
  writeJson(join(folder, 'package.json'), {
    ...Object.fromEntries(published),
    optionalDependencies: {
      ...manifest.optionalDependencies,
      ...Object.fromEntries(addonPackages.map((name) => [name, manifest.version])),
    },
  });
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
