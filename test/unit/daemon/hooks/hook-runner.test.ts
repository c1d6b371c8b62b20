import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { SAFE_DEFAULTS, type Settings } from '../../../../src/config/settings.ts';
import { HookRunner } from '../../../../src/daemon/hooks/hook-runner.ts';
import type { Logger } from '../../../../src/observability/log-entry.ts';
import { identifiedHomeAt } from '../../../helpers/identified-home.ts';
import { silentLogger } from '../../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { claimedJob, testQueue } from '../../queue/queue-fixture.ts';

/** A runner on a queue in which jobs have failed. */
function runnerAfter(jobs: number, hooks: Partial<Settings['hooks']>) {
  const queue = testQueue();
  for (let i = 0; i < jobs; i++)
    queue.leases.fail(claimedJob(queue).lease, { code: 'X', message: 'a\0b', nowMs: 5_000 });
  const home = identifiedHomeAt(temporaryFolder());
  mkdirSync(home.stateDir);
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => void warnings.push(text), child: () => log };
  const settings: Settings = { ...SAFE_DEFAULTS, hooks: { ...SAFE_DEFAULTS.hooks, ...hooks } };
  const runner = new HookRunner({ home, queue, settings: () => settings, log, now: () => 10_000 });
  return { runner, queue, home, warnings };
}

it('hooks that nobody has set cost nothing', () => {
  const { runner, queue } = runnerAfter(3, {});
  runner.tick();
  expect([queue.hooks.nextDue('program', 10_000), queue.hooks.nextDue('webhook', 10_000)]).toEqual([
    null,
    null,
  ]);
  expect(runner.isIdle).toBe(true);
});

it('the runs of a channel follow each other at once, and failures of the hook are its own', async () => {
  const { runner, warnings } = runnerAfter(2, { failed: ['sh', '-c', '\0'] });
  runner.tick();
  await vi.waitFor(() => expect(runner.isIdle).toBe(true));
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/^hooks\.failed: sh cannot be started: /);
  expect(runner.failure).toBeNull();
});

it('a secret that cannot be read is a failed attempt', async () => {
  const { runner, queue, home, warnings } = runnerAfter(1, { webhook: 'http://127.0.0.1:9' });
  mkdirSync(join(home.stateDir, 'webhook-secret'));
  runner.tick();
  await vi.waitFor(() => expect(runner.isIdle).toBe(true));
  expect(warnings).toEqual([expect.stringMatching(/^hooks\.webhook: EISDIR.*; retrying in 10 s$/)]);
  expect(queue.hooks.nextDue('webhook', 20_000)).toMatchObject({ attempts: 1 });
});

it('a program that is ended by an orderly stop is started again, however often', async () => {
  const { runner, queue } = runnerAfter(1, { failed: ['sleep', '30'] });
  runner.tick();
  expect(queue.hooks.nextDue('program', 10_000)).toMatchObject({ attempts: 1 });
  await runner.close();
  expect(queue.hooks.nextDue('program', 10_000)).toMatchObject({ attempts: 0 });
});
