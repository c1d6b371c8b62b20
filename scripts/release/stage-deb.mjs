import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { glibcOf } from './build-addons.mjs';
import { stageAddon, stageProgram } from './stage-packages.mjs';

/** Below a `node_modules`, so that the program takes `~/framekiln` as its home, as after `npm install`. */
const MODULES = 'usr/lib/framekiln/node_modules';

/** What packages bring that nothing reads when the program runs: sources, types, and binaries for other platforms. */
const LEFT_OUT = [
  /\/better-sqlite3\/(deps|src)(\/|$)/,
  /\/better-sqlite3\/build\/(?!Release$|Release\/better_sqlite3\.node$)/,
  /\.(map|d\.[cm]?ts)$/,
  new RegExp(`/onnxruntime-node/bin/napi-v\\d+/(?!${process.platform}(/${process.arch}(/|$)|$))`),
];

/** Where shells look for the completion of a command. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/framekiln',
  zsh: 'usr/share/zsh/vendor-completions/_framekiln',
  fish: 'usr/share/fish/vendor_completions.d/framekiln.fish',
};

/**
 * Lays out the files of the Debian package in a folder: the program, the addons, and the npm packages as installed and compiled
 * in this checkout.
 *
 * @param {string} root the project's folder, with dist/ and node_modules/
 * @param {import('./build-addons.mjs').BuiltAddon[]} addons
 * @param {string} architecture in Debian's words, such as `amd64`
 * @param {string} folder
 * @returns {Promise<string>} the version of the package
 */
export async function stageDeb(root, addons, architecture, folder) {
  const modules = join(folder, MODULES);
  for (const path of productionPackages(root))
    cpSync(path, join(modules, relative(join(root, 'node_modules'), path)), {
      recursive: true,
      // Nested packages are in the list themselves, if they are needed.
      filter: (from) =>
        !LEFT_OUT.some((pattern) => pattern.test(from)) &&
        !relative(path, from).split('/').includes('node_modules'),
    });
  stageProgram(root, [], join(modules, 'framekiln'));
  const platform = `${process.platform}-${process.arch}`;
  for (const addon of addons)
    stageAddon(root, addon, join(modules, `@framekiln/native-${addon.name}-${platform}`));

  mkdirSync(join(folder, 'usr/bin'), { recursive: true });
  // npm does this for the commands of a package.
  chmodSync(join(modules, 'framekiln/dist/main.js'), 0o755);
  symlinkSync('../lib/framekiln/node_modules/framekiln/dist/main.js', join(folder, 'usr/bin/framekiln'));
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const args = [join(root, 'dist/main.js'), 'completion', shell];
    write(join(folder, path), outputOf(process.execPath, args));
  }
  cpSync(join(root, 'LICENSE'), join(folder, 'usr/share/doc/framekiln/copyright'));
  const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const fields = {
    Package: 'framekiln',
    Version: version,
    Architecture: architecture,
    Maintainer: 'The authors of Framekiln <framekiln@localhost>',
    'Installed-Size': Number.parseInt(outputOf('du', ['-sk', folder]), 10),
    Depends: `${await dependencies(modules)}, ffmpeg (>= 7:5.1)`,
    Recommends: 'bubblewrap',
    Section: 'video',
    Priority: 'optional',
    Description: `Upscale the videos in a watch folder\n ${description}.`,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  write(join(folder, 'DEBIAN/control'), lines.join(''));
  return version;
}

/** The folders of the npm packages that the program needs when it runs, as npm lists them. */
function productionPackages(root) {
  const output = outputOf('npm', ['ls', '--all', '--omit=dev', '--parseable'], { cwd: root });
  return output.split('\n').filter((line) => line.startsWith(join(root, 'node_modules/')));
}

/** Node, as better-sqlite3 runs only with the major version it was compiled for, and the C and C++ libraries. */
async function dependencies(modules) {
  const [major] = process.versions.node.split('.').map(Number);
  const oldest = major === 20 ? '20.19' : String(major);
  const libraries = readdirSync(modules, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.(node|so(\.\d+)*)$/.test(basename(path)),
  );
  const versions = await Promise.all(libraries.map((path) => glibcOf(join(modules, path))));
  const glibc = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) ?? '';
  return `nodejs (>= ${oldest}), nodejs (<< ${major + 1}~), libc6 (>= ${glibc}), libstdc++6`;
}

function outputOf(program, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    ...options,
    ...{ encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  });
  if (status !== 0) throw new Error(`\`${program} ${args.join(' ')}\` failed:\n${stderr}`);
  return stdout;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
