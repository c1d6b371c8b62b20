import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fillTemplate } from '../../../../src/daemon/hooks/fill-template.ts';
import { webhookRequest } from '../../../../src/daemon/hooks/webhook-request.ts';
import type { EndedJob } from '../../../../src/domain/ended-job.ts';

const DONE: EndedJob = {
  ...{ jobId: 7, state: 'done', sourcePath: '/in/a "b" {id}\n.mp4', outputPath: '/out/a.mp4' },
  ...{ errorCode: null, errorMessage: null, atMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
};
const FAILED: EndedJob = { ...DONE, state: 'failed', errorCode: 'NO_VIDEO', errorMessage: 'No video.' };
/** Example of https://github.com/standard-webhooks/standard-webhooks: its secret, ID, time, body and signature. */
const EXAMPLE = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  messageId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  nowMs: 1614265330_000,
};

describe('a webhook', () => {
  it('has a signature that a receiver can compute', () => {
    const { headers, body } = webhookRequest(DONE, { ...EXAMPLE, template: '{"test": 2432232314}' });
    expect(body).toBe('{"test": 2432232314}');
    expect(headers).toMatchObject({
      'webhook-id': EXAMPLE.messageId,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('tells everything as JSON unless a template says otherwise', () => {
    const { headers, body } = webhookRequest(FAILED, { ...EXAMPLE, template: '' });
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(body)).toEqual({
      type: 'job.failed',
      timestamp: '2026-01-02T03:04:05.000Z',
      data: {
        ...{ id: 7, state: 'failed', source: FAILED.sourcePath, output: '/out/a.mp4' },
        error: { code: 'NO_VIDEO', message: 'No video.' },
      },
    });
    const key = Buffer.from(EXAMPLE.secret.slice(6), 'base64');
    const signed = `${EXAMPLE.messageId}.1614265330.${body}`;
    const expected = createHmac('sha256', key).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
  });

  it('may be plain text, as for ntfy', () => {
    const { headers, body } = webhookRequest(FAILED, { ...EXAMPLE, template: 'Job {id}: {text}' });
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(body).toBe('Job 7: a "b" {id}\\n.mp4 has failed (NO_VIDEO): No video.');
  });

  it('stays valid JSON whatever a file is called', () => {
    const template = '{"content": "{name}", "nested": {"state": "{state}", "other": "{unknown}"}}';
    const { body } = webhookRequest(DONE, { ...EXAMPLE, template });
    expect(JSON.parse(body)).toEqual({
      content: 'a "b" {id}\n.mp4',
      nested: { state: 'done', other: '{unknown}' },
    });
  });
});

it('a placeholder in a value is not replaced again', () => {
  expect(fillTemplate('{source} {id}', DONE)).toBe('/in/a "b" {id}\n.mp4 7');
});
