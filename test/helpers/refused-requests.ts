import type { ServerResponse } from 'node:http';

/** What a store or queue answers instead of doing what was asked. */
export const REFUSALS = {
  /** The credentials are wrong. */
  refuse: { status: 403, s3: 'InvalidAccessKeyId', sqs: 'InvalidClientTokenId' },
  /** Too many requests. */
  'slow-down': { status: 503, s3: 'SlowDown', sqs: 'ThrottlingException' },
  /** The disk of the store is full. */
  'no-storage': { status: 507, s3: 'InsufficientStorage', sqs: 'InternalFailure' },
  /** The owner has used up what was granted, by Ceph's radosgw. */
  'no-quota': { status: 403, s3: 'QuotaExceeded', sqs: 'OverLimit' },
  /** The clock of the client differs too much. */
  skewed: { status: 403, s3: 'RequestTimeTooSkewed', sqs: 'InvalidSignatureException' },
} as const;

export type Refusal = keyof typeof REFUSALS;

export function isRefusal(harm: string | undefined): harm is Refusal {
  return harm !== undefined && harm in REFUSALS;
}

export function refuse(answer: ServerResponse, refusal: Refusal, isSqs: boolean): void {
  const { status, s3, sqs } = REFUSALS[refusal];
  const text = `The stand-in refuses this (${refusal}).`;
  answer.writeHead(status, { 'content-type': isSqs ? 'application/x-amz-json-1.0' : 'application/xml' });
  if (isSqs) answer.end(JSON.stringify({ __type: `com.amazonaws.sqs#${sqs}`, message: text }));
  else answer.end(`<Error><Code>${s3}</Code><Message>${text}</Message></Error>`);
}

/** The difference that AWS accepts between the clock of a client and its own. */
const LARGEST_SKEW_MS = 5 * 60_000;

/** Whether the time in the signature of a request (20261128T100000Z) is too far from that of the server. */
export function isSkewed(amzDate: string | undefined, serverMs: number): boolean {
  const [, date, time] = /^(\d{8})T(\d{6})Z$/.exec(amzDate ?? '') ?? [];
  if (date === undefined || time === undefined) return false;
  const iso = `${date.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
  return Math.abs(Date.parse(iso) - serverMs) > LARGEST_SKEW_MS;
}
