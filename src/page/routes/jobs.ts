import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { sendRequest, type Request } from '../../control/send-request.ts';
import { JobReport } from '../../control/status-report.ts';
import type { JobState } from '../../domain/job.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import type { PageContext } from '../page-context.ts';

/** Longest part of the list in one answer, so that no request blocks the event loop of the daemon. */
const MOST_JOBS = 200;

const JobId = z.object({ id: z.coerce.number().int().positive() });

/** A part of a list of jobs. */
export const JobWindowQuery = z.object({
  list: z.enum(['queue', 'ended']).default('queue').meta({
    description:
      'queue: running, queued and paused jobs; ended: done, failed and cancelled ones, the latest first',
  }),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']).optional(),
  text: z.string().max(200).default('').meta({ description: 'part of the path of the source' }),
  pipeline: z.enum(['upscale', 'dual-face', 'lip-sync']).optional(),
  offset: z.coerce.number().int().min(0).default(0),
});
const Window = JobWindowQuery.extend({
  limit: z.coerce.number().int().min(1).max(MOST_JOBS).default(50),
});

const LISTS = {
  queue: ['running', 'queued', 'paused'],
  ended: ['done', 'failed', 'cancelled'],
} as const;

/** The states of the jobs in a list. @param state only this one; absent for all */
export function statesOf(list: keyof typeof LISTS, state: JobState | undefined): readonly JobState[] {
  return state === undefined ? LISTS[list] : [state];
}

export const Outcome = z.object({
  kind: z.enum(['done', 'busy', 'waiting']).meta({
    description:
      'done: the command was carried out; busy: the daemon will carry it out as soon as it can; waiting: it will when it next starts',
  }),
  sentence: z.string(),
});

/** The jobs, and the commands for them: the same as those of the CLI. */
export function addJobRoutes(app: FastifyInstance, { queue, status, requests }: PageContext): void {
  const send = async (request: Request): Promise<z.infer<typeof Outcome>> => {
    const { kind, sentence } = await sendRequest(requests, request);
    if (kind === 'unknown-job') throw new HttpError(404, 'UNKNOWN_JOB', sentence);
    if (kind === 'rejected') throw new HttpError(409, 'REJECTED', sentence);
    return { kind, sentence };
  };

  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs', summary: 'Part of the list of jobs', query: Window },
    answer: z.object({ total: z.int(), jobs: z.array(JobReport) }),
    handle: async ({ query: { list, state, ...part } }) => {
      const { jobs, total } = queue.jobs.listWindow({ states: statesOf(list, state), order: list, ...part });
      return { total, jobs: await Promise.all(jobs.map((job) => status.report(job))) };
    },
  });

  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs/:id', summary: 'One job', params: JobId, answer: JobReport },
    handle: ({ params: { id } }) => {
      const job = queue.jobs.getJob(id);
      if (job === null) throw new HttpError(404, 'UNKNOWN_JOB', `There is no job ${id}.`);
      return status.report(job);
    },
  });

  for (const [kind, summary] of JOB_COMMANDS)
    addRoute(app, {
      ...{ method: 'POST', url: `/api/jobs/:id/${kind}`, summary, params: JobId, answer: Outcome },
      handle: ({ params: { id } }) => send({ kind, jobId: id, argument: null }),
    });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/jobs/:id/prioritise', summary: 'Change the priority of a job' },
    ...{ params: JobId, body: z.object({ priority: z.int().min(-1000).max(1000) }), answer: Outcome },
    handle: ({ params: { id }, body: { priority } }) =>
      send({ kind: 'prioritise', jobId: id, argument: priority }),
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/jobs/:id/move', summary: 'Move a queued job next to another one' },
    params: JobId,
    body: z.union([
      z.strictObject({
        before: z.int().nullable().meta({
          description: 'ID of the other queued job, whose priority the job takes; null: behind all',
        }),
      }),
      z.strictObject({
        after: z.int().meta({ description: 'ID of the other queued job, whose priority the job takes' }),
      }),
    ]),
    answer: Outcome,
    handle: ({ params: { id }, body }) => send({ kind: 'move', jobId: id, argument: body }),
  });

  for (const [kind, summary] of QUEUE_COMMANDS)
    addRoute(app, {
      ...{ method: 'POST', url: `/api/queue/${kind}`, summary, answer: Outcome },
      handle: () => send({ kind, jobId: null, argument: null }),
    });
}

const JOB_COMMANDS = [
  ['pause', 'Pause a job; its checkpoints are kept'],
  ['resume', 'Resume a paused job'],
  ['cancel', 'Cancel a job and delete its checkpoints'],
  ['retry', 'Queue a failed, cancelled or finished job again'],
] as const;

const QUEUE_COMMANDS = [
  ['pause', 'Pause the whole queue'],
  ['resume', 'Resume the whole queue'],
] as const;
