import { join } from 'node:path';
import { toError } from '../../domain/errors.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import type { SqsQueue } from '../queue/sqs-queue.ts';
import type { CloudContext } from './cloud-context.ts';
import type { MessageEnd } from './settle-message.ts';

/** Metrics are written at most this often. */
const EVERY_MS = 60_000;

/** A timer may fire that much too early. */
const TIMER_SLACK_MS = 1_000;

/** File for the textfile collector of Prometheus' node exporter, in the logs of the worker. */
export const METRICS_FILE = 'cloud-worker.prom';

/** What the metrics need to know of their worker. */
export type MetricsContext = Pick<CloudContext, 'nowMs' | 'home' | 'pricePerHour'> & {
  readonly log: Logger;
  readonly queue: Pick<SqsQueue, 'depth'>;
};

/** What this worker has done since it started, by the name of the metric. */
type Totals = Readonly<Record<string, number>>;

/** Depth of the queues, seconds of work that wait, and what this worker has done: for autoscaling and for people. */
export class CloudMetrics {
  readonly #context: MetricsContext;
  readonly #queueUrls: readonly string[];
  readonly #print: ((line: string) => void) | null;
  readonly #ends = { done: 0, dead: 0, 'handed-over': 0, 'put-back': 0, lost: 0, copy: 0 };
  #busyMs = 0;
  #doneMs = 0;
  /** When the message that is processed now was received. */
  #begunAtMs: number | null = null;
  #printed: Totals = {};
  #writtenAtMs: number | null = null;
  #isWriting = false;

  /** @param print prints a line in CloudWatch's embedded metric format; null for none */
  constructor(context: MetricsContext, queueUrls: readonly string[], print: ((line: string) => void) | null) {
    this.#context = context;
    this.#queueUrls = queueUrls;
    this.#print = print;
  }

  /** Writes the metrics every minute, also while a message is processed, until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => void this.write(), EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Counts the time from now on as time with a message. */
  begun(): void {
    this.#begunAtMs = this.#context.nowMs();
  }

  /** Counts the message that this worker has ended; null if it could not be ended. */
  ended(end: MessageEnd | null): void {
    const ms = this.#context.nowMs() - (this.#begunAtMs ?? this.#context.nowMs());
    this.#begunAtMs = null;
    this.#busyMs += ms;
    if (end !== null) this.#ends[end]++;
    if (end === 'done') this.#doneMs += ms;
    this.#writtenAtMs = null;
  }

  /** Writes the metrics, unless they were written within the last minute. A failure is logged and does not matter. */
  async write(): Promise<void> {
    const { nowMs, log, home } = this.#context;
    const isRecent = this.#writtenAtMs !== null && nowMs() - this.#writtenAtMs < EVERY_MS - TIMER_SLACK_MS;
    if (isRecent || this.#isWriting) return;
    this.#isWriting = true;
    this.#writtenAtMs = nowMs();
    try {
      const depths = await this.#depths();
      const totals = this.#totals();
      // CloudWatch adds up what all lines of all workers say.
      this.#print?.(
        embeddedMetrics({ ...depths, ...since(this.#printed, totals) }, this.#queueUrls[0] ?? ''),
      );
      this.#printed = totals;
      await writeFileDurably(join(home.logs, METRICS_FILE), prometheusText(depths, totals), 'other-file');
    } catch (error) {
      log.warn(`cannot write the metrics: ${toError(error).message}`);
    } finally {
      this.#isWriting = false;
    }
  }

  async #depths(): Promise<Record<string, number>> {
    let visible = 0;
    let inFlight = 0;
    for (const url of this.#queueUrls) {
      const depth = await this.#context.queue.depth(url);
      visible += depth.visible;
      inFlight += depth.inFlight;
    }
    const { done } = this.#ends;
    const meanSeconds = done === 0 ? 0 : this.#doneMs / done / 1000;
    return { queue_visible: visible, queue_in_flight: inFlight, backlog_seconds: visible * meanSeconds };
  }

  #totals(): Totals {
    const { nowMs, pricePerHour } = this.#context;
    const { done, dead, lost } = this.#ends;
    const now = nowMs();
    const busyMs = this.#busyMs + (now - (this.#begunAtMs ?? now));
    return {
      jobs_done: done,
      jobs_failed: dead,
      interruptions: this.#ends['handed-over'] + this.#ends['put-back'] + lost,
      busy_seconds: busyMs / 1000,
      ...(pricePerHour === null ? {} : { cost_usd: (busyMs / 3_600_000) * pricePerHour }),
    };
  }
}

function since(before: Totals, now: Totals): Totals {
  return Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}

/** One line that CloudWatch turns into metrics. */
function embeddedMetrics(values: Readonly<Record<string, number>>, queueUrl: string): string {
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

function prometheusText(depths: Readonly<Record<string, number>>, totals: Totals): string {
  const gauges = Object.entries(depths).map(([name, value]) => metricText(name, 'gauge', value));
  const counters = Object.entries(totals).map(([name, value]) =>
    metricText(`${name}_total`, 'counter', value),
  );
  return [...gauges, ...counters].join('');
}

function metricText(name: string, type: 'gauge' | 'counter', value: number): string {
  return `# TYPE framekiln_cloud_${name} ${type}\nframekiln_cloud_${name} ${value}\n`;
}
