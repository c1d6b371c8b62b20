import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

/* The gates of eslint.config.js, shown to fire: each is broken once, in a file that exists only here. */
const root = fileURLToPath(new URL('../../..', import.meta.url));

// Types are left out: they need files on disk, and none of these rules asks for them.
const eslint = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });

const FLOORS = 'import-x/no-restricted-paths';
const LIBRARIES = '@typescript-eslint/no-restricted-imports';
const SYNTAX = 'no-restricted-syntax';
const CYCLE = 'house/no-import-cycle';

/** The rules that speak about imports and globals when `code` stands in `file`. */
async function brokenRules(file: string, code: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: file });
  const rules = [FLOORS, LIBRARIES, SYNTAX, CYCLE, 'import-x/no-default-export', 'no-console'];
  const found = result?.messages.map((message) => message.ruleId) ?? [];
  return found.filter((rule) => rule === null || rules.includes(rule));
}

describe('the import rules', () => {
  it.each([
    ['a room of the ground importing a capability', 'src/config/x.ts', '../queue/database.ts'],
    ['the domain importing its neighbour above', 'src/domain/x.ts', '../observability/logger.ts'],
    ['lib importing the domain', 'src/lib/x.ts', '../domain/errors.ts'],
    ['a capability importing another', 'src/queue/x.ts', '../media/probe/probe-media.ts'],
    [
      'inference importing pipelines against the arrow',
      'src/inference/x.ts',
      '../pipelines/frame-pipeline.ts',
    ],
    ['a capability importing the entry', 'src/queue/x.ts', '../main.ts'],
    ['the worker importing the watcher’s room', 'src/worker/x.ts', '../intake/stability.ts'],
    ['hardware importing media', 'src/hardware/x.ts', '../media/probe/probe-media.ts'],
  ])('reject %s', async (_, file, target) => {
    expect(await brokenRules(file, `import '${target}';`)).toEqual([FLOORS]);
    expect(await brokenRules(file, `import type { X } from '${target}';`)).toEqual([FLOORS]);
    expect(await brokenRules(file, `export * from '${target}';`)).toEqual([FLOORS]);
    expect(await brokenRules(file, `await import('${target}');`)).toEqual([FLOORS]);
  });

  it.each(['better-sqlite3', 'execa', 'winston', 'onnxruntime-node', 'prom-client'])(
    'reject a second importer of %s, and allow its types',
    async (library) => {
      expect(await brokenRules('src/workspace/x.ts', `import '${library}';`)).toEqual([LIBRARIES]);
      expect(await brokenRules('src/workspace/x.ts', `import type { X } from '${library}';`)).toEqual([]);
    },
  );

  it.each(['node:child_process', 'execa'])(
    'reject %s in rooms that must start processes in lib/process',
    async (library) => {
      for (const file of ['src/hardware/x.ts', 'src/daemon/service-notifier.ts', 'src/lib/process/x.ts'])
        expect(await brokenRules(file, `import '${library}';`)).toEqual([LIBRARIES]);
    },
  );

  it('allow only the worker process of the daemon node:child_process', async () => {
    expect(await brokenRules('src/daemon/worker-process.ts', "import 'node:child_process';")).toEqual([]);
    expect(await brokenRules('src/daemon/worker-process.ts', "import 'execa';")).toEqual([LIBRARIES]);
    expect(await brokenRules('src/queue/x.ts', "import 'child_process';")).toEqual([LIBRARIES]);
  });

  it('reject an owner of one library the library of another', async () => {
    expect(await brokenRules('src/observability/logger.ts', "import 'winston';")).toEqual([]);
    expect(await brokenRules('src/observability/logger.ts', "import 'execa';")).toEqual([LIBRARIES]);
  });

  it.each([
    ['of values', "import { createLogger } from './logger.ts'; export const x = createLogger;"],
    ['of types', "import type { RootLogger } from './logger.ts'; export type X = RootLogger;"],
    ['of a type among values', "import { type RootLogger } from './logger.ts'; export type X = RootLogger;"],
    ['by re-export', "export * from './logger.ts';"],
    ['of a type named in place', "export type X = import('./logger.ts').RootLogger;"],
    ['with itself', "import type { X } from './log-entry.ts'; export type Y = X;"],
  ])('reject a cycle %s', async (_, code) => {
    expect(await brokenRules('src/observability/log-entry.ts', code)).toEqual([CYCLE]);
  });

  it('reject a cycle through a third file', async () => {
    const code = "import type { Queue } from './queue.ts'; export type Database = Queue;";
    expect(await brokenRules('src/queue/sqlite.ts', code)).toEqual([CYCLE]);
  });

  it('allow a lower floor, the own folder and the arrow from pipelines to inference', async () => {
    expect(await brokenRules('src/queue/x.ts', "import '../domain/errors.ts';")).toEqual([]);
    expect(await brokenRules('src/queue/x.ts', "import './database.ts';")).toEqual([]);
    expect(await brokenRules('src/pipelines/x.ts', "import '../inference/engine.ts';")).toEqual([]);
    expect(await brokenRules('src/cli/x.ts', "import '../queue/database.ts';")).toEqual([]);
    expect(await brokenRules('src/main.ts', "import './cli/program.ts';")).toEqual([]);
  });
});

describe('the rules of the process', () => {
  it.each([
    ['process.env', 'process.env.HOME;'],
    ['process.env by another spelling', "process['env'];"],
    ['env from node:process', "import { env } from 'node:process'; env;"],
    ['process.exit', 'process.exit(1);'],
    ['exit from node:process', "import { exit } from 'node:process'; exit;"],
  ])('reject %s in a room', async (_, code) => {
    expect(await brokenRules('src/queue/x.ts', code)).toEqual([SYNTAX]);
  });

  it('allow the environment in config and the exit in the entries only', async () => {
    expect(await brokenRules('src/config/environment.ts', 'process.env.HOME;')).toEqual([]);
    expect(await brokenRules('src/config/environment.ts', 'process.exit(1);')).toEqual([SYNTAX]);
    for (const entry of ['src/main.ts', 'src/worker/entry.ts']) {
      expect(await brokenRules(entry, 'process.exit(1);')).toEqual([]);
      expect(await brokenRules(entry, 'process.env.HOME;')).toEqual([SYNTAX]);
    }
  });

  it('reject console and default exports', async () => {
    expect(await brokenRules('src/queue/x.ts', "console.log('x');")).toEqual(['no-console']);
    expect(await brokenRules('src/queue/x.ts', 'export default 1;')).toEqual(['import-x/no-default-export']);
  });
});
