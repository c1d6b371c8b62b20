import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { leaveNotice } from '../../../src/cloud/worker/leave-notice.ts';

const SPOT = '/latest/meta-data/spot/instance-action';
const GROUP = '/latest/meta-data/autoscaling/target-lifecycle-state';

/** The instance metadata service. What a path answers comes in turn, the last one again and again; without answers: 404. */
async function metadata(answers: Record<string, string[]>) {
  const server = createServer((request, answer) => {
    const { url = '', headers } = request;
    if (url === '/latest/api/token') return answer.end('token');
    const texts = answers[url] ?? [];
    const text = texts.length > 1 ? texts.shift() : texts[0];
    const isAllowed = headers['x-aws-ec2-metadata-token'] === 'token';
    answer.writeHead(isAllowed ? (text === undefined ? 404 : 200) : 401);
    return answer.end(text ?? '');
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const { signal } = new AbortController();

test('a spot instance that is taken away gives notice', async () => {
  const endpoint = await metadata({ [SPOT]: ['{"action":"terminate"}'], [GROUP]: ['InService'] });
  expect(await leaveNotice(endpoint, signal, 1)).toBe('AWS takes this spot instance away.');
});

test('an instance that its group no longer needs gives notice, one in service does not', async () => {
  const endpoint = await metadata({ [GROUP]: ['InService', 'InService', 'Terminated'] });
  expect(await leaveNotice(endpoint, signal, 1)).toBe('The Auto Scaling group takes this instance away.');
});

test('where there is no metadata service, nothing is noticed until the worker ends', async () => {
  const end = new AbortController();
  const notice = leaveNotice('http://127.0.0.1:1', end.signal, 1);
  end.abort();
  expect(await notice).toBeNull();
});

test.each(['cpu', 'gpu'])('the hook of the %s group waits until a stopped worker has handed over', (kind) => {
  const packaging = join(import.meta.dirname, '../../../packaging/aws');
  const hook = JSON.parse(readFileSync(join(packaging, `termination-hook-${kind}.json`), 'utf8')) as object;
  const unit = readFileSync(join(packaging, 'framekiln-worker.service'), 'utf8');
  const stopSeconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  expect(hook).toMatchObject({
    AutoScalingGroupName: `framekiln-${kind}`,
    LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
    DefaultResult: 'CONTINUE',
    HeartbeatTimeout: expect.toSatisfy((seconds: number) => seconds > stopSeconds + 20) as number,
  });
});
