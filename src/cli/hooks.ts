import { join } from 'node:path';
import { Command } from 'commander';
import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import { runProgram } from '../daemon/hooks/run-program.ts';
import { sendWebhook } from '../daemon/hooks/send-webhook.ts';
import { webhookRequest } from '../daemon/hooks/webhook-request.ts';
import { readWebhookSecret } from '../daemon/hooks/webhook-secret.ts';
import type { EndedJob } from '../domain/ended-job.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome } from './open-home.ts';

/** `framekiln hooks`: tries the hooks of the settings, and prints the secret of the webhook. */
export function hooksCommand(cli: Cli): Command {
  const hooks = new Command('hooks').description('Try the programs and the webhook that run when a job ends');
  hooks
    .command('test')
    .description('Run the hooks with an example job')
    .option('--failed', 'use a failed job as the example')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { failed?: true }>();
      const { home, settings } = openHome(cli, options);
      const example = exampleJob(home, options.failed === true, cli.now());
      const outcomes = [await tryProgram(example, home, settings), await tryWebhook(example, home, settings)];
      for (const { name, failure } of outcomes.filter((outcome) => outcome !== null))
        if (failure === null) cli.print(`${name}: succeeded`);
        else {
          cli.complain(`${name}: ${withoutFullStop(failure)}`);
          cli.exitCode = ExitCode.failed;
        }
      if (outcomes.every((outcome) => outcome === null))
        cli.print(
          `No hook is set for ${example.state === 'done' ? 'finished' : 'failed'} jobs; see hooks.* in framekiln config example.`,
        );
    });
  hooks
    .command('secret')
    .description('Print the secret that signs webhooks, for the receiver')
    .action(async (_, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      cli.print(await readWebhookSecret(home));
    });
  return hooks;
}

interface Outcome {
  readonly name: string;
  readonly failure: string | null;
}

async function tryProgram(job: EndedJob, home: Home, { hooks }: Settings): Promise<Outcome | null> {
  const command = hooks[job.state];
  if (command.length === 0) return null;
  const { signal } = new AbortController();
  const failure = await runProgram(job, { command, home, signal, timeoutMs: hooks.timeoutSeconds * 1000 });
  return { name: `hooks.${job.state}`, failure };
}

async function tryWebhook(job: EndedJob, home: Home, { hooks }: Settings): Promise<Outcome | null> {
  if (hooks.webhook === '') return null;
  const secret = await readWebhookSecret(home);
  const content = { template: hooks.webhookBody, secret, messageId: `test-${job.atMs}`, nowMs: job.atMs };
  const { signal } = new AbortController();
  const outcome = await sendWebhook(hooks.webhook, webhookRequest(job, content), signal);
  return { name: 'hooks.webhook', failure: outcome.kind === 'delivered' ? null : outcome.reason };
}

function exampleJob(home: Home, hasFailed: boolean, atMs: number): EndedJob {
  const paths = { sourcePath: join(home.input, 'example.mp4'), outputPath: join(home.output, 'example.mp4') };
  return hasFailed
    ? {
        ...{ jobId: 0, state: 'failed', ...paths, atMs },
        ...{ errorCode: 'EXAMPLE', errorMessage: 'This is only a test.' },
      }
    : { jobId: 0, state: 'done', ...paths, errorCode: null, errorMessage: null, atMs };
}
