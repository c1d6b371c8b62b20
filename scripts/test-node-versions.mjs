// `npm run test:node-versions [20 22 24 …]`: installs each version of Node from the npm registry, and this checkout
// with packages of its own for that version, into a temporary folder; runs the unit tests there, and one job through
// the real daemon. Prints a table, and exits with 1 if anything fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const DEFAULT_VERSIONS = ['20', '22', '24'];
const FRAMES = 20;

const checkout = fileURLToPath(new URL('..', import.meta.url));
const { positionals } = parseArgs({ allowPositionals: true });
const versions = positionals.length > 0 ? positionals : DEFAULT_VERSIONS;
const folder = mkdtempSync(join(tmpdir(), 'framekiln-node-versions-'));
const rows = [];
try {
  for (const version of versions) rows.push(testVersion(version));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const row of [['Node', 'install', 'unit tests', 'job'], ['---', '---', '---', '---'], ...rows])
  console.log(`| ${row.join(' | ')} |`);
if (rows.some((row) => row.includes('failed') || / [1-9]\d* failed/.test(row[2] ?? ''))) process.exitCode = 1;

/** @returns {string[]} a row of the table */
function testVersion(version) {
  const prefix = join(folder, `node-${version}`);
  const root = join(folder, `checkout-${version}`);
  // The package that the npm package `node` installs: it has the binary and the headers.
  const name = `node-linux-${process.arch}`;
  run('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', `${name}@${version}`], folder, {});
  const node = join(prefix, 'node_modules', name);
  const env = {
    PATH: [join(node, 'bin'), process.env.PATH].join(delimiter),
    // Native packages are compiled with the headers of this version.
    npm_config_nodedir: node,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  };
  const exact = output('node', ['--version'], env);
  if (exact === null) return [version, 'failed', '-', '-'];

  copyCheckout(root);
  const install = run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], root, env);
  if (!install || !run('npm', ['run', 'build'], root, env)) return [exact, 'failed', '-', '-'];

  const report = join(folder, `unit-${version}.json`);
  const args = ['--project=unit', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const unitPassed = run('npx', ['vitest', 'run', ...args], root, env);
  return [exact, 'passed', describeUnit(report, unitPassed), runJob(root, env) ? 'passed' : 'failed'];
}

/** Copies the files that git tracks, with their changes; the models, which git ignores, are linked. */
function copyCheckout(root) {
  mkdirSync(root);
  const files = join(folder, 'files');
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const script = `git ${list.join(' ')} | while IFS= read -r -d '' name; do [ -f "$name" ] && printf '%s\\0' "$name"; done > ${files}
    tar --null --files-from=${files} --create | tar --extract --directory ${root}`;
  if (!run('bash', ['-c', script], checkout, {})) throw new Error('The checkout could not be copied.');
  for (const name of ['shared']) {
    const source = join(checkout, '..', name);
    const target = join(folder, name);
    if (existsSync(source) && !existsSync(target)) symlinkSync(source, target);
  }
}

function describeUnit(report, passed) {
  if (!existsSync(report)) return 'failed';
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
  const counts = `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`;
  // A run can also fail outside its tests.
  return passed || numFailedTests > 0 ? counts : 'failed';
}

/** Upscales a short clip with the real daemon; true when the finished video has every frame. */
function runJob(root, env) {
  const home = join(root, 'node-version-home');
  const input = join(home, 'input', 'lanczos-2x');
  const clip = join(home, 'output', 'lanczos-2x', 'clip.mp4');
  mkdirSync(input, { recursive: true });
  const image = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25', '-frames:v', String(FRAMES)];
  if (!run('ffmpeg', ['-v', 'error', ...image, join(input, 'clip.mp4')], home, env)) return false;
  const main = join(root, 'dist', 'main.js');
  if (!run('node', [main, 'start', '--once', '--home', home], home, env)) return false;
  const count = ['-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0'];
  const found = output('ffprobe', ['-v', 'error', '-select_streams', 'v:0', ...count, clip], env);
  return Number(found) === FRAMES;
}

function run(program, args, cwd, env) {
  const stdio = ['ignore', 'inherit', 'inherit'];
  return spawnSync(program, args, { cwd, env: { ...process.env, ...env }, stdio }).status === 0;
}

/** @returns {string | null} null when the program fails */
function output(program, args, env) {
  const { status, stdout } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : null;
}
