/** Runs the programs of `npm run build:native`, which takes minutes to build: not part of `npm test`. */
const NATIVE = 'native';
const PROJECTS = ['unit', 'integration', 'recovery'];

/**
 * @param {string[]} args of the script: `--all`, and any that go to vitest
 * @returns {string[]} what vitest is called with
 */
export function vitestArguments(args) {
  const isAll = args.includes('--all');
  return [
    'run',
    ...[...PROJECTS, ...(isAll ? [NATIVE] : [])].map((name) => `--project=${name}`),
    ...(isAll ? [] : ['--tags-filter=!slow']),
    '--reporter=default',
    '--reporter=./scripts/test/slowest-files.mjs',
    ...args.filter((arg) => arg !== '--all'),
  ];
}
