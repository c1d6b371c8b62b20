import { join } from 'node:path';
import { toError } from '../../domain/errors.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import type { CloudContext } from './cloud-context.ts';
import type { MessageEnd } from './settle-message.ts';

/** Metrics are written at most this often. */
const EVERY_MS = 60_000;

/** File for the textfile collector of Prometheus' node exporter, in the logs of the worker. */
export const METRICS_FILE = 'cloud-worker.prom';

/** Depth of the queues, seconds of work that wait, and what this worker has done: for autoscaling and for people. */
export class CloudMetrics {
  readonly #context: CloudContext;
  readonly #queueUrls: readonly string[];
  readonly #print: ((line: string) => void) | null;
  readonly #ends: Record<MessageEnd, number> = { done: 0, dead: 0, 'handed-over': 0, 'put-back': 0, lost: 0 };
  #busyMs = 0;
  #doneMs = 0;
  #writtenAtMs: number | null = null;

  /** @param print prints a line in CloudWatch's embedded metric format; null for none */
  constructor(context: CloudContext, queueUrls: readonly string[], print: ((line: string) => void) | null) {
    this.#context = context;
    this.#queueUrls = queueUrls;
    this.#print = print;
  }

  /** Counts a message that this worker has ended after some time. */
  ended(end: MessageEnd, ms: number): void {
    this.#ends[end]++;
    this.#busyMs += ms;
    if (end === 'done') this.#doneMs += ms;
    this.#writtenAtMs = null;
  }

  /** Writes the metrics, unless they were written within the last minute. A failure is logged and does not matter. */
  async write(): Promise<void> {
    const { nowMs, log, home } = this.#context;
    if (this.#writtenAtMs !== null && nowMs() - this.#writtenAtMs < EVERY_MS) return;
    this.#writtenAtMs = nowMs();
    try {
      const values = await this.#values();
      this.#print?.(embeddedMetrics(values, this.#queueUrls[0] ?? ''));
      await writeFileDurably(join(home.logs, METRICS_FILE), prometheusText(values), 'other-file');
    } catch (error) {
      log.warn(`cannot write the metrics: ${toError(error).message}`);
    }
  }

  async #values(): Promise<Record<string, number>> {
    let visible = 0;
    let inFlight = 0;
    for (const url of this.#queueUrls) {
      const depth = await this.#context.queue.depth(url);
      visible += depth.visible;
      inFlight += depth.inFlight;
    }
    const { done, dead, lost } = this.#ends;
    const meanSeconds = done === 0 ? 0 : this.#doneMs / done / 1000;
    const { pricePerHour } = this.#context;
    return {
      queue_visible: visible,
      queue_in_flight: inFlight,
      backlog_seconds: visible * meanSeconds,
      jobs_done: done,
      jobs_failed: dead,
      interruptions: this.#ends['handed-over'] + this.#ends['put-back'] + lost,
      busy_seconds: this.#busyMs / 1000,
      ...(pricePerHour === null ? {} : { cost_usd: (this.#busyMs / 3_600_000) * pricePerHour }),
    };
  }
}

/** One line that CloudWatch turns into metrics. */
export function embeddedMetrics(values: Readonly<Record<string, number>>, queueUrl: string): string {
  const queue = queueUrl.split('/').at(-1) ?? '';
  return JSON.stringify({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: 'Framekiln',
          Dimensions: [['Queue']],
          Metrics: Object.keys(values).map((Name) => ({ Name })),
        },
      ],
    },
    Queue: queue,
    ...values,
  });
}

export function prometheusText(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `# TYPE framekiln_cloud_${name} gauge\nframekiln_cloud_${name} ${value}\n`)
    .join('');
}
