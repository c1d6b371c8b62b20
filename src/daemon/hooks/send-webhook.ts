import { toError } from '../../domain/errors.ts';
import type { WebhookRequest } from './webhook-request.ts';

const TIMEOUT_MS = 10_000;

/** What became of a webhook. `rejected`: another attempt would end in the same way. */
export type WebhookOutcome =
  { readonly kind: 'delivered' } | { readonly kind: 'unreachable' | 'rejected'; readonly reason: string };

/** Sends a webhook once. */
export async function sendWebhook(
  url: string,
  { headers, body }: WebhookRequest,
  signal: AbortSignal,
): Promise<WebhookOutcome> {
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', headers, body },
      // A signed message must not go where the user did not send it.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    if (response.ok) return { kind: 'delivered' };
    const isTemporary = response.status >= 500 || [408, 425, 429].includes(response.status);
    const reason = `the server answered ${response.status}`;
    return { kind: isTemporary ? 'unreachable' : 'rejected', reason };
  } catch (error) {
    return { kind: 'unreachable', reason: whyFailed(toError(error)) };
  }
}

/** `fetch` reports every failed connection as `fetch failed`; its cause says more. */
function whyFailed(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
