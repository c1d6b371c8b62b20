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
  readonly queueUrl: string;
}

export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
}

/** Seconds that one request waits for a message. */
const WAIT_SECONDS = 20;

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
      }),
      { abortSignal: signal },
    );
    if (found?.ReceiptHandle === undefined) return null;
    const receiveCount = Number(found.Attributes?.ApproximateReceiveCount ?? 1);
    const { MessageId: id = '', Body: body = '', ReceiptHandle: receipt } = found;
    return { id, body, receipt, receiveCount, queueUrl };
  }

  /** Keeps a message out of sight for that long from now; 0 puts it back at once. */
  async setVisibility({ queueUrl, receipt }: Received, seconds: number): Promise<void> {
    const request = { QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: seconds };
    await this.#client.send(new ChangeMessageVisibilityCommand(request));
  }

  async delete({ queueUrl, receipt }: Received): Promise<void> {
    await this.#client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt }));
  }

  async send(
    queueUrl: string,
    body: string,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes)
        .filter(([, text]) => text !== '')
        .map(([name, text]) => [name, { DataType: 'String', StringValue: text }]),
    );
    await this.#client.send(
      new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, MessageAttributes }),
    );
  }

  async depth(queueUrl: string): Promise<QueueDepth> {
    const { Attributes: found = {} } = await this.#client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
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
    );
    const policy = JSON.parse(found.RedrivePolicy ?? '{}') as { deadLetterTargetArn?: string };
    const name = policy.deadLetterTargetArn?.split(':').at(-1);
    if (name === undefined) {
      const fault = `The queue ${queueUrl} has no dead-letter queue, so a job that fails would be lost; give it a redrive policy with maxReceiveCount 5.`;
      throw new ConfigurationError(fault, [fault]);
    }
    const { QueueUrl: url = '' } = await this.#client.send(new GetQueueUrlCommand({ QueueName: name }));
    return url;
  }

  close(): void {
    this.#client.destroy();
  }
}

export interface ReceiveOptions {
  readonly visibilitySeconds: number;
  readonly waitSeconds?: number;
  readonly signal: AbortSignal;
}
