// All tests and checks that a change must pass, on a machine with nothing but Node, npm and git. The last line of the
// output has the counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countResults } from './ci/count-results.mjs';
import { readStamp } from './setup/stamp.mjs';

const CHECKS = ['check:format', 'check:lint', 'check:types'];

const folder = mkdtempSync(join(tmpdir(), 'framekiln-ci-'));
const reportFile = join(folder, 'vitest.json');
const before = treeState();

const testsPassed = npm('run', 'test:all', '--', '--reporter=json', `--outputFile.json=${reportFile}`);
const checks = CHECKS.map((name) => ({ name, passed: npm('run', name) }));
checks.push({ name: 'the tree is unchanged', passed: treeState() === before });
const counts = countResults({ report: readStamp(reportFile), testsPassed, checks });
rmSync(folder, { recursive: true });

for (const { name, passed } of checks) if (!passed) console.error(`failed: ${name}`);
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ''}`,
);
process.exitCode = counts.failed === 0 ? 0 : 1;

function npm(...args) {
  return spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

function treeState() {
  const { status, stdout, stderr } = spawnSync('git', ['status', '--porcelain'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git status failed: ${stderr}`);
  return stdout;
}
