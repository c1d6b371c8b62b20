import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { noImportCycle } from './scripts/lint/no-import-cycle.mjs';

/**
 * The rooms of src/ and what each may import beside itself. Floors from the ground up; a room never imports a
 * neighbour or a higher floor, except where an arrow of the design is written here.
 */
const GROUND = ['lib', 'domain', 'config', 'observability'];
const ROOMS = {
  lib: [],
  domain: ['lib'],
  config: ['lib', 'domain'],
  observability: ['lib', 'domain'],
  intake: GROUND,
  queue: GROUND,
  workspace: GROUND,
  media: [...GROUND, 'intake'],
  inference: GROUND,
  hardware: GROUND,
  reports: [...GROUND, 'workspace'],
  pipelines: [...GROUND, 'inference'],
  trial: [...GROUND, 'workspace', 'media', 'inference', 'hardware', 'pipelines'],
  'inference-thread': [...GROUND, 'inference', 'pipelines'],
  job: [
    ...GROUND,
    'queue',
    'workspace',
    'media',
    'inference',
    'hardware',
    'pipelines',
    'inference-thread',
    'reports',
  ],
  cluster: [...GROUND, 'queue', 'workspace', 'media', 'inference', 'inference-thread', 'job', 'cloud'],
  worker: [...GROUND, 'queue', 'workspace', 'media', 'inference-thread', 'job', 'cluster'],
  daemon: [
    ...GROUND,
    'intake',
    'queue',
    'workspace',
    'media',
    'inference',
    'hardware',
    'trial',
    'reports',
    'worker',
  ],
  cloud: [...GROUND, 'queue', 'workspace', 'media', 'reports', 'daemon'],
  control: [...GROUND, 'queue', 'workspace', 'trial', 'reports', 'daemon'],
  page: [
    ...GROUND,
    'intake',
    'queue',
    'workspace',
    'media',
    'inference',
    'hardware',
    'reports',
    'daemon',
    'control',
  ],
  cli: [
    ...GROUND,
    'intake',
    'queue',
    'workspace',
    'media',
    'inference',
    'hardware',
    'pipelines',
    'trial',
    'reports',
    'daemon',
    'control',
    'page',
    'cluster',
    'inference-thread',
    'cloud',
  ],
};

/** Libraries that one place alone may import, so that they can be replaced there. */
const OWNED_LIBRARIES = {
  'better-sqlite3': ['src/queue/sqlite.ts'],
  execa: ['src/lib/process/spawn-child.ts', 'src/lib/process/runs-without-error.ts'],
  // The daemon forks its worker with a message channel; every other child process starts in lib/process.
  'node:child_process': ['src/daemon/worker-process.ts'],
  child_process: ['src/daemon/worker-process.ts'],
  winston: ['src/observability/logger.ts'],
  'onnxruntime-node': ['src/inference/onnx-engine.ts'],
  'prom-client': ['src/observability/metrics.ts'],
  // Optional: loaded only where a cluster is used.
  pg: ['src/cluster/connect.ts'],
  'pg-boss': ['src/cluster/connect.ts'],
};

const floorZones = Object.entries(ROOMS).map(([room, allowed]) => ({
  target: `./src/${room}`,
  from: './src',
  except: [room, ...allowed].map((name) => `./${name}`),
  message: `${room}/ may import only from: ${[room, ...allowed].join(', ')}.`,
}));

function ownedLibraries(file) {
  return Object.entries(OWNED_LIBRARIES)
    .filter(([, owners]) => !owners.includes(file))
    .map(([name, owners]) => ({
      name,
      message: `Only ${owners.join(' and ')} may import ${name}.`,
      allowTypeImports: true,
    }));
}

/** Every spelling of a member of `process`: `process.x`, `process['x']` and `import { x } from 'node:process'`. */
function processMember(name, message) {
  return [
    `MemberExpression[object.name='process'][property.name='${name}']`,
    `MemberExpression[object.name='process'][property.value='${name}']`,
    `ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name='${name}']`,
  ].map((selector) => ({ selector, message }));
}
const PROCESS_EXIT = processMember('exit', 'Only src/main.ts and the worker’s entry end the process.');
const ENVIRONMENT = processMember('env', 'Only src/config/ reads the environment.');

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'native-cuda/build*/', 'native-cpu/build*/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    plugins: { 'import-x': importX, house: { rules: { 'no-import-cycle': noImportCycle } } },
    settings: {
      'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts', '.js'] })],
      'import-x/extensions': ['.ts', '.js'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      // Not import-x/no-cycle: it skips `import type`, and two files that need each other's types are one file.
      'house/no-import-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', { zones: floorZones, basePath: import.meta.dirname }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...PROCESS_EXIT, ...ENVIRONMENT],
      '@typescript-eslint/no-restricted-imports': ['error', { paths: ownedLibraries('') }],
    },
  },
  ...[...new Set(Object.values(OWNED_LIBRARIES).flat())].map((file) => ({
    files: [file],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: ownedLibraries(file) }] },
  })),
  { files: ['src/config/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...PROCESS_EXIT] } },
  {
    files: ['src/main.ts', 'src/worker/entry.ts'],
    rules: { 'no-restricted-syntax': ['error', ...ENVIRONMENT] },
  },
  {
    files: ['web/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        (
          'AbortSignal EventSource Notification ResizeObserver FormData Image URLSearchParams XMLHttpRequest addEventListener clearInterval clearTimeout document ' +
          'fetch focus getComputedStyle history innerHeight localStorage matchMedia location navigator removeEventListener scrollBy scrollTo setInterval setTimeout'
        )
          .split(' ')
          .map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['scripts/**/*.mjs', '**/bench/**/*.mjs', '*.config.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        AbortController: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        performance: 'readonly',
      },
    },
  },
);
