import { z } from 'zod';
import { tierPresets } from '../../config/recipe-presets.ts';
import { Poison } from '../worker/ends.ts';

/** Text of characters that SQS takes in messages and attributes: those of XML. */
const SENDABLE = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

const place = z.object({
  bucket: z.string().min(1).optional(),
  key: z.string().min(1),
  versionId: z.undefined({ error: 'is not supported: the worker reads the newest version' }).optional(),
});

/** A job as the backend sends it. Unknown keys are ignored. */
const Message = z.object({
  version: z.literal(1),
  jobId: z.string().min(1).max(200).regex(SENDABLE, { error: 'contains characters that SQS does not take' }),
  taskType: z.literal('upscale'),
  tier: z.enum(['basic', 'standard', 'premium', 'pro']).optional(),
  parameters: z
    .object({
      device: z.enum(['cpu', 'gpu']).optional(),
      scale_factor: z.union([z.literal(2), z.literal(4)]).optional(),
    })
    .optional(),
  input: place,
  output: place,
  resultQueueUrl: z.url().optional(),
});

/** What a message asks for, checked. */
export interface CloudJob {
  readonly jobId: string;
  readonly tier: string | null;
  readonly device: 'cpu' | 'gpu';
  readonly scale: 2 | 4;
  readonly input: CloudPlace;
  readonly output: CloudPlace;
  readonly resultQueueUrl: string | null;
}

export interface CloudPlace {
  readonly bucket: string;
  readonly key: string;
}

/** What a worker allows in messages. */
export interface MessageRules {
  /** Bucket of places that name none. */
  readonly bucket: string;
  /** Buckets that messages may name. */
  readonly allowedBuckets: readonly string[];
  /** URL of the queue that the message came from; its results go to queues of the same account and region. */
  readonly queueUrl: string;
}

/** Where the worker keeps its checkpoints; no message may read or write there. */
export const STATE_PREFIX = 'state/';

/** Longest key of S3. */
const MAX_KEY_BYTES = 1024;

/** Reads the body of a message. Parameters override the tier. @throws Poison BAD_MESSAGE, KEY_NOT_ALLOWED or BUCKET_NOT_ALLOWED */
export function parseJobMessage(body: string, rules: MessageRules): CloudJob {
  const parsed = Message.safeParse(parseJson(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the message' : issue.path.join('.');
    throw new Poison('BAD_MESSAGE', `The message is no job: ${where}: ${issue?.message ?? 'invalid'}.`);
  }
  const { jobId, tier, parameters = {}, input, output, resultQueueUrl } = parsed.data;
  const preset = tier === undefined ? null : tierPresets[tier];
  const device = parameters.device ?? preset?.device;
  const scale = parameters.scale_factor ?? preset?.scale;
  if (device === undefined || scale === undefined)
    throw new Poison(
      'BAD_MESSAGE',
      'The message is no job: it needs a tier, or parameters with device and scale_factor.',
    );
  assertResultQueue(resultQueueUrl, rules.queueUrl);
  return {
    jobId,
    tier: tier ?? null,
    device: device === 'gpu' ? 'gpu' : 'cpu',
    scale: scale === 4 ? 4 : 2,
    input: allowed('input', input, rules),
    output: allowed('output', output, rules),
    resultQueueUrl: resultQueueUrl ?? null,
  };
}

const Sender = Message.pick({ jobId: true, tier: true, resultQueueUrl: true });

/** Whom to tell about a message that is no valid job; null if it does not say that either. */
export function senderOf(
  body: string,
  queueUrl: string,
): Pick<CloudJob, 'jobId' | 'tier' | 'resultQueueUrl'> | null {
  try {
    const { jobId, tier = null, resultQueueUrl = null } = Sender.parse(parseJson(body));
    assertResultQueue(resultQueueUrl ?? undefined, queueUrl);
    return { jobId, tier, resultQueueUrl };
  } catch {
    return null;
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Poison('BAD_MESSAGE', 'The message is no JSON.', { cause: error });
  }
}

function allowed(
  what: 'input' | 'output',
  { bucket: named, key }: { bucket?: string | undefined; key: string },
  { bucket, allowedBuckets }: MessageRules,
): CloudPlace {
  const found = named ?? bucket;
  if (!allowedBuckets.includes(found))
    throw new Poison(
      'BUCKET_NOT_ALLOWED',
      `The bucket ${found} of the ${what} is not allowed; to allow it, start the worker with --allow-bucket ${found}.`,
    );
  const fault = whyNotKey(key);
  if (fault !== null) throw new Poison('KEY_NOT_ALLOWED', `The key of the ${what} ${fault}.`);
  return { bucket: found, key };
}

/** Why a message must not name this key, as the end of a sentence; null if it may. */
export function whyNotKey(key: string): string | null {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(key)) return 'contains control characters';
  if (!SENDABLE.test(key)) return 'contains characters that SQS does not take in an event';
  if (key.startsWith(STATE_PREFIX))
    return `begins with ${STATE_PREFIX}, where workers keep their checkpoints`;
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'contains an empty part, or a part "." or ".."';
  return null;
}

/** A message must not make the worker send to a stranger's address. */
function assertResultQueue(url: string | undefined, queueUrl: string): void {
  if (url === undefined) return;
  const [wanted, own] = [new URL(url), new URL(queueUrl)];
  const account = own.pathname.split('/')[1];
  if (wanted.origin === own.origin && wanted.pathname.split('/')[1] === account) return;
  throw new Poison(
    'QUEUE_NOT_ALLOWED',
    'The resultQueueUrl is not a queue of the same account and region as the queue of jobs.',
  );
}
