import { basename } from 'node:path';
import { toError } from '../domain/errors.ts';
import type { Command, CommandKind } from '../domain/job.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { z } from 'zod';
import { carryOutForGroup, GroupCommand } from './group-command.ts';

export interface CommandTargets {
  readonly queue: Queue;
  readonly log: Logger;
  /** Tells the worker that it has lost the lease of a running job. */
  readonly dropJob: (jobId: number) => void;
  /** Deletes the files of a job that no worker holds. */
  readonly removeFiles: (jobId: number) => Promise<void>;
  /** Deletes the frames in memory of a job that no worker holds. */
  readonly removeFrames: (jobId: number) => Promise<void>;
  /** Queues a file named by a user; returns a sentence for the user. */
  readonly add: (argument: unknown) => Promise<string>;
}

const Priority = z.number().int();
/** The job in front of which (null: behind all) or behind which another one is moved. */
const Target = z.union([
  z.strictObject({ before: z.number().int().nullable() }),
  z.strictObject({ after: z.number().int() }),
]);

/** Carries out the requests of the CLI and the page in order, and stores the outcome of each. */
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
      `command ${command.kind}${command.jobId === null ? '' : ` ${command.jobId}`}: ${withoutFullStop(outcome.result)}`,
    );
  }
}

function carryOut(command: Command, targets: CommandTargets): Promise<string> | string {
  if (command.kind === 'add') return targets.add(command.argument);
  if (command.kind === 'group') {
    const group = GroupCommand.parse(command.argument);
    const argument = group.kind === 'prioritise' ? group.priority : null;
    return carryOutForGroup(group, (jobId) => forJob({ kind: group.kind, jobId, argument }, targets));
  }
  const { kind, jobId, argument } = command;
  return jobId === null ? forQueue(command, targets) : forJob({ kind, jobId, argument }, targets);
}

interface JobCommand {
  readonly kind: Exclude<CommandKind, 'add' | 'group'>;
  readonly jobId: number;
  readonly argument: unknown;
}

async function forJob(command: JobCommand, targets: CommandTargets): Promise<string> {
  const { queue } = targets;
  const job = queue.jobs.getJob(command.jobId);
  if (job === null) throw new Error(`There is no job ${command.jobId}.`);
  const name = basename(job.sourcePath);
  const reject = (): never => {
    throw new Error(`Cannot ${command.kind} job ${job.id} (${name}): it is ${job.state}.`);
  };
  // The daemon never claims such a job, so it would wait forever.
  if (job.origin === 'run' && (command.kind === 'retry' || command.kind === 'resume'))
    throw new Error(
      `Cannot ${command.kind} job ${job.id} (${name}): it was started by framekiln run; run that command again.`,
    );
  switch (command.kind) {
    case 'pause':
      if (!queue.control.pauseJob(job.id)) reject();
      targets.dropJob(job.id);
      if (job.state !== 'running') await targets.removeFrames(job.id);
      return `Job ${job.id} (${name}) paused; its checkpoints are kept.`;
    case 'resume':
      if (!queue.control.resumeJob(job.id)) reject();
      return queue.batches.listBatches(job.id).length > 0
        ? `Job ${job.id} (${name}) queued; it will resume from its last checkpoint.`
        : `Job ${job.id} (${name}) queued.`;
    case 'cancel':
      if (!queue.control.cancelJob(job.id, Date.now())) reject();
      targets.dropJob(job.id);
      // The worker deletes the files of a running job once it has closed them.
      if (job.state !== 'running') await targets.removeFiles(job.id);
      return `Job ${job.id} (${name}) cancelled.`;
    case 'retry':
      if (!queue.control.retryJob(job.id)) reject();
      return `Job ${job.id} (${name}) queued again.`;
    case 'prioritise': {
      const priority = Priority.parse(command.argument);
      queue.control.prioritise(job.id, priority);
      return `Job ${job.id} (${name}) now has priority ${priority}.`;
    }
    case 'move': {
      const target = Target.parse(command.argument);
      if (!queue.moves.moveJob(job.id, target))
        throw new Error(
          `Cannot move job ${job.id} (${name}): it is no longer queued, or there is no such other job in the queue.`,
        );
      const [side, otherId] = 'after' in target ? ['after', target.after] : ['before', target.before];
      const other = otherId === null ? null : queue.jobs.getJob(otherId);
      const place = other === null ? 'last' : `${side} job ${other.id} (${basename(other.sourcePath)})`;
      return `Job ${job.id} (${name}) is ${place} in the queue.`;
    }
  }
}

function forQueue(command: Command, { queue, dropJob }: CommandTargets): string {
  if (command.kind === 'pause') {
    const stopped = queue.control.pauseQueue();
    for (const id of stopped) dropJob(id);
    return stopped.length === 0
      ? 'Queue paused.'
      : 'Queue paused; running jobs were stopped and will resume from their last checkpoint.';
  }
  if (command.kind === 'resume') {
    queue.control.resumeQueue();
    return 'Queue resumed.';
  }
  throw new Error(`Command ${command.kind} needs a job ID.`);
}
