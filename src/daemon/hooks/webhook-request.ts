import { createHmac } from 'node:crypto';
import type { EndedJob } from '../../domain/ended-job.ts';
import { fillTemplate } from './fill-template.ts';

export interface WebhookContent {
  /** The body with placeholders; empty for JSON with everything. */
  readonly template: string;
  /** `whsec_` and the key in base64. */
  readonly secret: string;
  /** The same for every attempt, so that a receiver recognises a repetition. */
  readonly messageId: string;
  readonly nowMs: number;
}

export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Builds a webhook, signed as Standard Webhooks (https://www.standardwebhooks.com) describes: HMAC-SHA256 over ID, time and
 * body. A template that begins with a brace or a bracket is JSON, so values are escaped in it.
 */
export function webhookRequest(ended: EndedJob, content: WebhookContent): WebhookRequest {
  const { template, secret, messageId, nowMs } = content;
  const isJson = template === '' || /^\s*[{[]/.test(template);
  const quote = isJson ? (value: string) => JSON.stringify(value).slice(1, -1) : undefined;
  const body = template === '' ? JSON.stringify(everything(ended)) : fillTemplate(template, ended, quote);
  const timestamp = String(Math.floor(nowMs / 1000));
  return {
    headers: {
      'content-type': isJson ? 'application/json' : 'text/plain; charset=utf-8',
      'user-agent': 'Framekiln',
      'webhook-id': messageId,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature(secret, `${messageId}.${timestamp}.${body}`)}`,
    },
    body,
  };
}

/** @returns the signature in base64 */
function signature(secret: string, signed: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(signed).digest('base64');
}

function everything({ jobId, state, sourcePath, outputPath, errorCode, errorMessage, atMs }: EndedJob) {
  return {
    type: `job.${state}`,
    timestamp: new Date(atMs).toISOString(),
    data: {
      ...{ id: jobId, state, source: sourcePath, output: outputPath },
      error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' },
    },
  };
}
