import { basename } from 'node:path';
import type { IdentifiedHome } from '../../config/home.ts';
import type { Settings } from '../../config/settings.ts';
import { toError } from '../../domain/errors.ts';
import { backOffMs } from '../../lib/back-off.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { LONGEST_HOOK_WAIT_MS, type HookChannel, type HookRun } from '../../queue/hook-store.ts';
import type { Queue } from '../../queue/queue.ts';
import { runProgram } from './run-program.ts';
import { sendWebhook, type WebhookOutcome } from './send-webhook.ts';
import { webhookRequest } from './webhook-request.ts';
import { readWebhookSecret } from './webhook-secret.ts';

const CHANNELS: readonly HookChannel[] = ['program', 'webhook'];
/** Pause after the first failed attempt of a webhook; each further one doubles it, up to an hour. */
const FIRST_RETRY_MS = 10_000;
/** A webhook is tried for about a day. */
const MOST_WEBHOOK_ATTEMPTS = 32;
/** Pause after a run that could not be recorded. */
const RECORD_RETRY_MS = 1000;
/** A program during which the daemon died this often is not started again. */
const MOST_PROGRAM_ATTEMPTS = 3;

export interface HookRunnerOptions {
  readonly home: IdentifiedHome;
  readonly queue: Pick<Queue, 'hooks'>;
  readonly settings: () => Settings;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Runs the hooks of the settings for jobs that have ended: programs and the webhook, each one after the other, in the order
 * in which the jobs ended. A failing hook is a warning and never fails a job.
 *
 * The row of a hook leaves the database only after the hook has run. So it runs at least once, and again if the daemon dies
 * or is stopped before the row is removed. A program that fails is not repeated; a webhook is, unless the server rejects it.
 */
export class HookRunner {
  readonly #options: HookRunnerOptions;
  readonly #closing = new AbortController();
  readonly #lanes = new Map<HookChannel, Promise<void>>();
  /** Runs that ended but are still in the database, because it could not be written. */
  readonly #ended = new Set<number>();
  #failure: unknown = null;
  #pausedUntilMs = 0;

  constructor(options: HookRunnerOptions) {
    this.#options = options;
  }

  /** The error of the last run that could not be recorded, or null. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether nothing runs and nothing may be tried now. */
  get isIdle(): boolean {
    const { queue, now } = this.#options;
    return (
      this.#lanes.size === 0 && CHANNELS.every((channel) => queue.hooks.nextDue(channel, now()) === null)
    );
  }

  /** Starts what is due in each channel, unless a run is in progress. */
  tick(): void {
    if (performance.now() < this.#pausedUntilMs) return;
    for (const channel of CHANNELS) {
      if (this.#lanes.has(channel) || this.#closing.signal.aborted) continue;
      const run = this.#nextRun(channel);
      if (run === null) continue;
      const lane = this.#runAll(channel, run)
        .catch((error: unknown) => {
          this.#failure = error;
          this.#pausedUntilMs = performance.now() + RECORD_RETRY_MS;
          this.#options.log.error(
            `cannot record that a hook has run: ${withoutFullStop(toError(error).message)}; retrying`,
          );
        })
        .finally(() => this.#lanes.delete(channel));
      this.#lanes.set(channel, lane);
    }
  }

  /** Ends what runs; it is repeated when the daemon starts again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#lanes.values());
  }

  /** The next run that may be tried now. Runs for which no hook is set are removed. */
  #nextRun(channel: HookChannel): HookRun | null {
    const { queue, settings, now } = this.#options;
    for (;;) {
      const run = queue.hooks.nextDue(channel, now());
      if (run === null) return null;
      const { [run.state]: command, webhook } = settings().hooks;
      if (channel === 'program' ? command.length > 0 : webhook !== '') return run;
      queue.hooks.removeAll(channel, run.state);
    }
  }

  async #runAll(channel: HookChannel, first: HookRun): Promise<void> {
    let run: HookRun | null = first;
    while (run !== null && !this.#closing.signal.aborted) {
      await this.#run(channel, run);
      run = this.#nextRun(channel);
    }
  }

  async #run(channel: HookChannel, run: HookRun): Promise<void> {
    const { hooks } = this.#options.queue;
    if (!this.#ended.has(run.id)) {
      const hasEnded = channel === 'program' ? await this.#runProgram(run) : await this.#sendWebhook(run);
      if (!hasEnded) return;
      this.#ended.add(run.id);
    }
    hooks.remove(run.id);
    this.#ended.delete(run.id);
  }

  /** @returns whether the run has ended; false if it has to be repeated */
  async #runProgram(run: HookRun): Promise<boolean> {
    const { home, queue, settings } = this.#options;
    const { signal } = this.#closing;
    const { timeoutSeconds, [run.state]: command } = settings().hooks;
    if (run.attempts >= MOST_PROGRAM_ATTEMPTS) {
      this.#warn(
        run,
        `hooks.${run.state}: giving up after ${MOST_PROGRAM_ATTEMPTS} attempts, because the daemon crashed during each of them`,
      );
      return true;
    }
    queue.hooks.countAttempt(run.id, null);
    const failure = await runProgram(run, { command, home, signal, timeoutMs: timeoutSeconds * 1000 });
    if (signal.aborted) {
      // Only attempts during which the daemon died count.
      queue.hooks.takeBackAttempt(run.id);
      return false;
    }
    if (failure !== null) this.#warn(run, `hooks.${run.state}: ${withoutFullStop(failure)}`);
    return true;
  }

  /** @returns whether the run has ended; false if it has to be repeated */
  async #sendWebhook(run: HookRun): Promise<boolean> {
    const { queue, now } = this.#options;
    const outcome = await this.#send(run);
    if (outcome.kind === 'delivered') return true;
    if (this.#closing.signal.aborted) return false;
    const attempts = run.attempts + 1;
    const hasGivenUp = outcome.kind === 'rejected' || attempts >= MOST_WEBHOOK_ATTEMPTS;
    const waitMs = backOffMs(attempts, FIRST_RETRY_MS, LONGEST_HOOK_WAIT_MS);
    const next = hasGivenUp ? 'not sent again' : `retrying in ${Math.round(waitMs / 1000)} s`;
    this.#warn(run, `hooks.webhook: ${withoutFullStop(outcome.reason)}; ${next}`);
    if (!hasGivenUp) queue.hooks.countAttempt(run.id, now() + waitMs);
    return hasGivenUp;
  }

  async #send(run: HookRun): Promise<WebhookOutcome> {
    const { home, settings, now } = this.#options;
    const { webhook, webhookBody: template } = settings().hooks;
    try {
      const secret = await readWebhookSecret(home);
      // The home and the time make it unique, also after a database was replaced.
      const messageId = `${home.id}-${run.atMs}-${run.id}`;
      const request = webhookRequest(run, { template, secret, messageId, nowMs: now() });
      return await sendWebhook(webhook, request, this.#closing.signal);
    } catch (error) {
      // Such as a secret that cannot be read.
      return { kind: 'unreachable', reason: toError(error).message };
    }
  }

  #warn({ sourcePath }: HookRun, sentence: string): void {
    this.#options.log.child(basename(sourcePath)).warn(sentence);
  }
}
