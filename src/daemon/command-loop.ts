import { basename } from 'node:path';
import { toError } from '../domain/errors.ts';
import type { Command } from '../domain/job.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { z } from 'zod';

export interface CommandTargets {
  readonly queue: Queue;
  readonly log: Logger;
  /** Tells the worker that a running job's lease is gone. */
  readonly dropJob: (jobId: number) => void;
  /** Deletes what a job that nobody holds has on the disk. */
  readonly removeFiles: (jobId: number) => Promise<void>;
  /** Deletes the frames that a job that nobody holds has in memory. */
  readonly removeFrames: (jobId: number) => Promise<void>;
  /** Puts a file that a person named into the queue; gives a sentence. */
  readonly add: (argument: unknown) => Promise<string>;
}

const Priority = z.number().int();

/** Carries out what the CLI and the dashboard requested for, in order, and writes down what became of each request. */
export async function handleCommands(targets: CommandTargets): Promise<void> {
  for (const command of targets.queue.commands.nextCommands()) {
    let outcome: { succeeded: boolean; result: string };
    try {
      outcome = { succeeded: true, result: await carryOut(command, targets) };
    } catch (error) {
      outcome = { succeeded: false, result: toError(error).message };
    }
    targets.queue.commands.markHandled(command.id, outcome, Date.now());
    targets.log.info(
      `command ${command.kind}${command.jobId === null ? '' : ` ${command.jobId}`}: ${outcome.result}`,
    );
  }
}

async function carryOut(command: Command, targets: CommandTargets): Promise<string> {
  const { queue } = targets;
  if (command.kind === 'add') return targets.add(command.argument);
  if (command.jobId === null) return forQueue(command, targets);
  const job = queue.jobs.getJob(command.jobId);
  if (job === null) throw new Error(`There is no job ${command.jobId}.`);
  const name = basename(job.sourcePath);
  const reject = (): never => {
    throw new Error(`Job ${job.id} (${name}) is ${job.state}; ${command.kind} does not apply.`);
  };
  switch (command.kind) {
    case 'pause':
      if (!queue.control.pauseJob(job.id)) reject();
      targets.dropJob(job.id);
      if (job.state !== 'running') await targets.removeFrames(job.id);
      return `Job ${job.id} (${name}) is paused; its checkpoints are kept.`;
    case 'resume':
      if (!queue.control.resumeJob(job.id)) reject();
      return `Job ${job.id} (${name}) is queued again and goes on after its last committed batch.`;
    case 'cancel':
      if (!queue.control.cancelJob(job.id, Date.now())) reject();
      targets.dropJob(job.id);
      // The worker deletes the files of a job that it has in hand, when it has let go of them.
      if (job.state !== 'running') await targets.removeFiles(job.id);
      return `Job ${job.id} (${name}) is cancelled.`;
    case 'retry':
      if (!queue.control.retryJob(job.id)) reject();
      return `Job ${job.id} (${name}) is queued again.`;
    case 'prioritise':
      queue.control.prioritise(job.id, Priority.parse(command.argument));
      return `Job ${job.id} (${name}) has a new priority.`;
  }
}

function forQueue(command: Command, { queue, dropJob }: CommandTargets): string {
  if (command.kind === 'pause') {
    for (const id of queue.control.pauseQueue()) dropJob(id);
    return 'The queue is paused; what was in work goes on after its last committed batch when it is resumed.';
  }
  if (command.kind === 'resume') {
    queue.control.resumeQueue();
    return 'The queue goes on.';
  }
  throw new Error(`${command.kind} wants a job.`);
}
