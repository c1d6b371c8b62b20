import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 5_000;
const ANSWER_MS = 2_000;
const TOKEN_SECONDS = '21600';

/**
 * Waits for the notice that AWS takes this machine away: a spot instance, two minutes before, or an instance that its group no
 * longer needs, if the group has a termination hook (packaging/aws/termination-hook-cpu.json). The notice is best effort: without
 * it, the worker is killed, and its message comes back.
 *
 * @param endpoint of the instance metadata service
 * @returns the reason, as a sentence; null if `signal` was aborted first
 */
export async function leaveNotice(
  endpoint: string,
  signal: AbortSignal,
  pollMs = POLL_MS,
): Promise<string | null> {
  while (!signal.aborted) {
    const notice = await ask(endpoint).catch(() => null);
    if (notice !== null) return notice;
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

async function ask(endpoint: string): Promise<string | null> {
  const answer = await fetch(`${endpoint}/latest/api/token`, {
    method: 'PUT',
    headers: { 'X-aws-ec2-metadata-token-ttl-seconds': TOKEN_SECONDS },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const token = await answer.text();
  /** @returns null if the service has nothing to say about it (404) */
  const read = async (path: string): Promise<string | null> => {
    const found = await fetch(`${endpoint}/latest/meta-data/${path}`, {
      headers: { 'X-aws-ec2-metadata-token': token },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return found.ok ? found.text() : null;
  };
  if ((await read('spot/instance-action')) !== null) return 'AWS takes this spot instance away.';
  const isLeaving = (await read('autoscaling/target-lifecycle-state')) === 'Terminated';
  return isLeaving ? 'The Auto Scaling group takes this instance away.' : null;
}
