import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 5_000;
const ANSWER_MS = 2_000;
const TOKEN_SECONDS = '21600';

/**
 * Waits for the notice that a spot instance is taken away, two minutes before. The notice is best effort: without it, the worker is
 * killed, and its message comes back.
 *
 * @param endpoint of the instance metadata service
 * @returns the notice; null if `signal` was aborted first
 */
export async function spotNotice(
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
  const notice = await fetch(`${endpoint}/latest/meta-data/spot/instance-action`, {
    headers: { 'X-aws-ec2-metadata-token': token },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  // 404: there is none.
  return notice.ok ? notice.text() : null;
}
