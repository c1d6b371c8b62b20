import { codeOf } from '../../domain/errors.ts';

/** Whether an error is an answer of AWS with this HTTP status. */
export function hasStatus(error: unknown, status: number): boolean {
  return statusOf(error) === status;
}

/** The HTTP status of an answer of AWS; null for other errors, such as that of a cut connection. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const { $metadata: metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

/** Name of an error of AWS, such as `AccessDenied`; for other errors, their code. */
export function codeOfAws(error: unknown): string {
  if (statusOf(error) !== null && error instanceof Error) return error.name;
  return codeOf(error);
}

/** Names of errors that say that a message is held by nobody, or by another worker. */
const GONE: ReadonlySet<string> = new Set([
  'ReceiptHandleIsInvalid',
  'MessageNotInflight',
  'InvalidParameterValue',
  'QueueDoesNotExist',
]);

/** Whether SQS says that a message is no longer this worker's. */
export function isGone(error: unknown): boolean {
  return statusOf(error) !== null && GONE.has(codeOfAws(error));
}

/** Names of errors that say that the credentials or their rights are at fault, which no retry mends. */
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AllAccessDisabled',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'Forbidden',
  'NoSuchBucket',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'CredentialsProviderError',
]);

/** Names of errors of several stores that say that a store, or the share of its owner, is full. */
const FULL: ReadonlySet<string> = new Set([
  'InsufficientStorage',
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'XMinioStorageFull',
]);

/** Whether a store has no room for an object. Some stores answer with the status of a refusal. */
export function isStoreFull(error: unknown): boolean {
  return hasStatus(error, 507) || (statusOf(error) !== null && FULL.has(codeOfAws(error)));
}

/** What to do about a full store, or about an error of credentials or rights, as a sentence; null for other errors. */
export function explainFault(error: unknown): string | null {
  if (isStoreFull(error))
    return `The bucket has no room (${codeOfAws(error)}); delete objects, or raise its limit.`;
  return explainRefusal(error);
}

/** What to do about an error of credentials or rights, as a sentence; null for other errors. */
export function explainRefusal(error: unknown): string | null {
  if (!(error instanceof Error) || isStoreFull(error)) return null;
  // The SDK corrects a wrong clock by the time of the answer, and repeats the request, before it gives up.
  if (error.name === 'RequestTimeTooSkewed')
    return 'AWS refuses the access because the clock of this machine is wrong (RequestTimeTooSkewed); set it with chrony or systemd-timesyncd.';
  const isRefused = NOT_ALLOWED.has(error.name) || hasStatus(error, 403) || hasStatus(error, 401);
  if (!isRefused) return null;
  if (error.name === 'NoSuchBucket')
    return 'AWS knows no such bucket (NoSuchBucket); check S3_BUCKET_NAME and the names in the messages.';
  return `AWS refuses the access (${error.name}); check the credentials, the region and the policy of this machine’s role (packaging/aws/iam-policy.json).`;
}
