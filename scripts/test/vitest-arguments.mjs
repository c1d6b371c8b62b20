/**
 * The project that tests the programs of `npm run build:native`. It is not part of `npm test`, because that build takes
 * minutes.
 */
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
