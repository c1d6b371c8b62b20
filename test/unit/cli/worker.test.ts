import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Cli } from '../../../src/cli/cli.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';

async function worker(...args: string[]): Promise<unknown> {
  const home = mkdtempSync(join(tmpdir(), 'framekiln-home-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const cli: Cli = {
    ...{ print: () => undefined, complain: () => undefined },
    ...{ interactive: false, columns: Infinity, now: Date.now, exitCode: ExitCode.ok },
  };
  const program = createProgram(cli);
  for (const command of program.commands) command.configureOutput({ writeErr: () => undefined });
  return program
    .parseAsync(['worker', ...args, '--home', home], { from: 'user' })
    .then(() => null)
    .catch((error: unknown) => error);
}

describe('framekiln worker', () => {
  it('needs a queue or a cluster', async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('SQS_QUEUE_URL', '');
    expect(await worker()).toMatchObject({
      code: 'BAD_CONFIGURATION',
      message: 'framekiln worker needs --queue URL (or SQS_QUEUE_URL) or --cluster.',
    });
  });

  it.each([
    [['--queue', 'http://q/1', '--cluster']],
    [['--cluster', '--spot']],
    [['--queue', 'http://q/1', '--store', '/mnt/share']],
  ])('does not mix them: %s', async (args) => {
    expect(await worker(...args)).toMatchObject({ code: 'commander.conflictingOption' });
  });

  it('says how a home joins a cluster', async () => {
    expect(String(await worker('--cluster'))).toMatch(
      /This home has joined no cluster; on the machine of the daemon run framekiln cluster token/,
    );
  });
});
