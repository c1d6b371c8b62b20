import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/observability/logger.ts';
import { RollingFile } from '../../../src/observability/rolling-file.ts';

let folder: string;
let file: string;
const lines = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framekiln-log-'));
  file = join(folder, 'logs', 'framekiln.log');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('createLogger', () => {
  it('writes entries synchronously, except those below its level', () => {
    const log = createLogger({ file, level: 'info', console: false });
    log.debug('hidden');
    for (let number = 0; number < 200; number++) log.child('a.mp4').info(`line ${number}`);
    expect(lines(file)).toHaveLength(200);
    expect(lines(file).at(-1)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO {2}\[a\.mp4\] line 199$/);
  });

  it('keeps the time and prefix of an entry of another process', () => {
    const log = createLogger({ file, level: 'info', console: false });
    log.write({
      atMs: new Date(2026, 0, 2, 3, 4, 5).getTime(),
      level: 'warn',
      prefix: 'b.mp4',
      message: 'x',
    });
    expect(lines(file)).toEqual(['2026-01-02 03:04:05 WARN  [b.mp4] x']);
  });

  it('may be closed twice, and appends to the log of an earlier run', async () => {
    for (const run of ['first', 'second']) {
      const log = createLogger({ file, level: 'info', console: false });
      log.info(run);
      await Promise.all([log.close(), log.close()]);
    }
    expect(lines(file).map((line) => line.slice(-6).trim())).toEqual(['first', 'second']);
  });

  it('creates its folder again after it was deleted', () => {
    const log = createLogger({ file, level: 'info', console: false });
    log.info('before');
    rmSync(dirname(file), { recursive: true });
    log.info('after');
    expect(lines(file)).toHaveLength(1);
  });
});

describe('RollingFile', () => {
  const roll = (onError: (error: Error) => void, path = file) =>
    new RollingFile({ path, maxBytes: 20, maxFiles: 3, onError });

  it('keeps the newest lines in the current file, and no more files than allowed', () => {
    const errors: Error[] = [];
    const log = roll((error) => errors.push(error));
    for (let number = 0; number < 8; number++) log.write(`line number ${number}\n`);
    expect(errors).toEqual([]);
    expect(lines(file)).toEqual(['line number 7']);
    expect(lines(join(folder, 'logs/framekiln.1.log'))).toEqual(['line number 6']);
    expect(lines(join(folder, 'logs/framekiln.2.log'))).toEqual(['line number 5']);
    expect(existsSync(join(folder, 'logs/framekiln.3.log'))).toBe(false);
  });

  it('accepts a chunk larger than the limit', () => {
    const log = roll(() => expect.unreachable());
    log.write(`${'x'.repeat(100)}\n`);
    log.write('next\n');
    expect(lines(file)).toEqual(['next']);
  });

  it('reports a failure once and writes again when possible', () => {
    const errors: Error[] = [];
    writeFileSync(dirname(file), 'a file where the folder of the logs should be');
    const log = roll((error) => errors.push(error));
    log.write('lost\n');
    log.write('lost\n');
    rmSync(dirname(file));
    log.write('kept\n');
    expect(errors).toHaveLength(1);
    expect(lines(file)).toEqual(['kept']);
  });
});
