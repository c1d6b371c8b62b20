import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { sendRequest } from '../../control/send-request.ts';
import { GroupCommand, MOST_IN_GROUP } from '../../daemon/group-command.ts';
import type { JobState } from '../../domain/job.ts';
import type { JobPlace } from '../../queue/job-store.ts';
import { addRoute } from '../add-route.ts';
import { HttpError } from '../http-error.ts';
import { JobWindowQuery, Outcome, statesOf } from './jobs.ts';
import type { PageContext } from '../page-context.ts';

/** So that ten thousand IDs of any length fit. */
const MAX_BODY_BYTES = 256 * 1024;

/** Changes of several jobs at once, as they are selected in a list. */
export function addJobGroupRoutes(app: FastifyInstance, { queue, requests }: PageContext): void {
  addRoute(app, {
    ...{ method: 'GET', url: '/api/jobs/ids' },
    summary: 'IDs and states of a part of the list of jobs, which may be longer than that of /api/jobs',
    query: JobWindowQuery.extend({
      limit: z.coerce.number().int().min(1).max(MOST_IN_GROUP).default(MOST_IN_GROUP),
    }),
    answer: z.object({ jobs: z.array(z.object({ id: z.int(), state: z.string() })) }),
    handle: ({ query: { list, state, ...part } }) => ({
      jobs: queue.jobs
        .listWindowStates({ states: statesOf(list, state), order: list, ...part })
        .map(({ id, state: each }) => ({ id, state: each })),
    }),
  });

  addRoute(app, {
    ...{ method: 'POST', url: '/api/jobs/group', summary: 'Change several jobs at once', body: GroupCommand },
    bodyLimit: MAX_BODY_BYTES,
    answer: Outcome.extend({
      undo: z.array(GroupCommand).meta({
        description: 'requests that take the change back; empty for cancel and retry, which cannot be undone',
      }),
    }),
    handle: async ({ body }) => {
      const before = queue.jobs.findPlaces(body.ids);
      const { kind, sentence } = await sendRequest(requests, { kind: 'group', jobId: null, argument: body });
      if (kind === 'rejected') throw new HttpError(409, 'REJECTED', sentence);
      if (kind === 'unknown-job') throw new HttpError(404, 'UNKNOWN_JOB', sentence);
      return { kind, sentence, undo: undoOf(body, before) };
    },
  });
}

/** What takes a change back. @param before the jobs before the change */
function undoOf(group: GroupCommand, before: readonly JobPlace[]): GroupCommand[] {
  const idsIn = (states: readonly JobState[]): number[] =>
    before.filter(({ state }) => states.includes(state)).map(({ id }) => id);
  const opposite = (kind: 'pause' | 'resume', ids: number[]): GroupCommand[] =>
    ids.length === 0 ? [] : [{ kind, ids }];
  switch (group.kind) {
    case 'pause':
      return opposite('resume', idsIn(['queued', 'running']));
    case 'resume':
      return opposite('pause', idsIn(['paused']));
    case 'prioritise': {
      const priorities = new Set(before.map(({ priority }) => priority));
      return [...priorities].map((priority) => ({
        kind: 'prioritise',
        ids: before.filter((job) => job.priority === priority).map(({ id }) => id),
        priority,
      }));
    }
    case 'cancel':
    case 'retry':
      return [];
  }
}
