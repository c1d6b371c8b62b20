import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { ConfigurationError } from '../../domain/errors.ts';

export interface Received {
  readonly id: string;
  readonly body: string;
  readonly receipt: string;
  /** How often the message was delivered, including this time. */
  readonly receiveCount: number;
  /** How often in a row a transient error ended the work without a new checkpoint, by the worker that sent this copy. */
  readonly retries: number;
  readonly queueUrl: string;
}

export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
}

/** Seconds that one request waits for a message. */
const WAIT_SECONDS = 20;

/** Limit for any other request with all its retries: less than a message stays out of sight. */
const REQUEST_MS = 20_000;

/** Attribute of a copy that a worker has sent after a transient error. */
export const RETRIES_ATTRIBUTE = 'framekiln_retries';

/** Messages of SQS, as one worker uses them. */
export class SqsQueue {
  readonly #client: SQSClient;

  constructor(client: SQSClient) {
    this.#client = client;
  }

  /** Takes one message out of sight of other workers. @returns null if none came while the request waited */
  async receive(
    queueUrl: string,
    { visibilitySeconds, waitSeconds = WAIT_SECONDS, signal }: ReceiveOptions,
  ): Promise<Received | null> {
    const { Messages: [found] = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: waitSeconds,
        VisibilityTimeout: visibilitySeconds,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        MessageAttributeNames: [RETRIES_ATTRIBUTE],
      }),
      { abortSignal: signal },
    );
    if (found?.ReceiptHandle === undefined) return null;
    const receiveCount = Number(found.Attributes?.ApproximateReceiveCount ?? 1);
    const retries = Number(found.MessageAttributes?.[RETRIES_ATTRIBUTE]?.StringValue ?? 0) || 0;
    const { MessageId: id = '', Body: body = '', ReceiptHandle: receipt } = found;
    return { id, body, receipt, receiveCount, retries, queueUrl };
  }

  /** Keeps a message out of sight for that long from now; 0 puts it back at once. */
  async setVisibility({ queueUrl, receipt }: Received, seconds: number): Promise<void> {
    const request = { QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: seconds };
    await this.#client.send(new ChangeMessageVisibilityCommand(request), limited());
  }

  async delete({ queueUrl, receipt }: Received): Promise<void> {
    const request = { QueueUrl: queueUrl, ReceiptHandle: receipt };
    await this.#client.send(new DeleteMessageCommand(request), limited());
  }

  /** @param delaySeconds how long the message stays out of sight first, 900 at most */
  async send(
    queueUrl: string,
    body: string,
    attributes: Readonly<Record<string, string>> = {},
    delaySeconds = 0,
  ): Promise<void> {
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes)
        .filter(([, text]) => text !== '')
        .map(([name, text]) => [name, { DataType: 'String', StringValue: text }]),
    );
    const delay = delaySeconds === 0 ? {} : { DelaySeconds: delaySeconds };
    const request = { QueueUrl: queueUrl, MessageBody: body, MessageAttributes, ...delay };
    await this.#client.send(new SendMessageCommand(request), limited());
  }

  async depth(queueUrl: string): Promise<QueueDepth> {
    const { Attributes: found = {} } = await this.#client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
      limited(),
    );
    return {
      visible: Number(found.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(found.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  }

  /** URL of the dead-letter queue of a queue. @throws ConfigurationError if it has none */
  async deadLetterUrl(queueUrl: string): Promise<string> {
    const { Attributes: found = {} } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['RedrivePolicy'] }),
      limited(),
    );
    const policy = JSON.parse(found.RedrivePolicy ?? '{}') as { deadLetterTargetArn?: string };
    const name = policy.deadLetterTargetArn?.split(':').at(-1);
    if (name === undefined) {
      const fault = `The queue ${queueUrl} has no dead-letter queue, so a job that fails would be lost; give it a redrive policy with maxReceiveCount 5.`;
      throw new ConfigurationError(fault, [fault]);
    }
    const { QueueUrl: url = '' } = await this.#client.send(
      new GetQueueUrlCommand({ QueueName: name }),
      limited(),
    );
    return url;
  }

  close(): void {
    this.#client.destroy();
  }
}

function limited(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(REQUEST_MS) };
}

export interface ReceiveOptions {
  readonly visibilitySeconds: number;
  readonly waitSeconds?: number;
  readonly signal: AbortSignal;
}
