import { expect, test } from 'vitest';
import { createServer } from '../../../src/page/create-server.ts';
import { Guard } from '../../../src/page/guard/guard.ts';
import type { PageContext } from '../../../src/page/page-context.ts';
import { addJobGroupRoutes } from '../../../src/page/routes/job-groups.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { newJob, testQueue } from '../queue/queue-fixture.ts';

const TOKEN = 'token-of-the-test';

function groupRoutes() {
  const queue = testQueue();
  const now = (): number => 0;
  const app = createServer(new Guard({ token: TOKEN, names: () => [], now }), silentLogger);
  const requests = { queue, now, isDaemonRunning: () => false };
  addJobGroupRoutes(app, { queue, requests } as unknown as PageContext);
  const change = async (payload: object) => {
    const headers = { host: '127.0.0.1', authorization: `Bearer ${TOKEN}` };
    const answer = await app.inject({ method: 'POST', url: '/api/jobs/group', headers, payload });
    return { status: answer.statusCode, ...answer.json<{ undo?: object[]; error?: object }>() };
  };
  return { queue, change };
}

test('ten thousand jobs with long IDs are changed by one command', async () => {
  const { change } = groupRoutes();
  const ids = Array.from({ length: 10_000 }, (_, i) => 1_000_000_000 + i);
  expect(await change({ kind: 'pause', ids })).toMatchObject({ status: 200, kind: 'waiting' });
});

test('a priority that only the command line gives can be given back', async () => {
  const { queue, change } = groupRoutes();
  const { job } = queue.jobs.enqueue(newJob());
  queue.control.prioritise(job.id, 5000);
  const { undo } = await change({ kind: 'prioritise', ids: [job.id], priority: 10 });
  expect(undo).toEqual([{ kind: 'prioritise', ids: [job.id], priority: 5000 }]);
  expect(await change(undo?.[0] ?? {})).toMatchObject({ status: 200 });
});
