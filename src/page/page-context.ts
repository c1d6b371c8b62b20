import type { IdentifiedHome } from '../config/home.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import type { StatusReader } from '../control/read-status.ts';
import type { RequestTargets } from '../control/send-request.ts';
import type { Health } from '../daemon/health.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { LogTail } from '../observability/log-tail.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Queue } from '../queue/queue.ts';
import type { Guard } from './guard/guard.ts';
import type { LiveState } from './live-state.ts';
import type { MachineHistory } from './machine/history.ts';
import type { ReadGpus } from './machine/sample-machine.ts';

/** What the routes of the page work with. */
export interface PageContext {
  readonly home: IdentifiedHome;
  readonly settings: LiveSettings;
  readonly queue: Queue;
  readonly status: StatusReader;
  readonly requests: RequestTargets;
  readonly live: LiveState;
  readonly history: MachineHistory;
  readonly readGpus: ReadGpus;
  readonly guard: Guard;
  readonly token: string;
  readonly log: Logger;
  readonly tail: LogTail;
  readonly metrics: Metrics;
  readonly health: () => Health;
  /** Version of Framekiln. */
  readonly version: string;
  /** Aborted when the page closes. */
  readonly signal: AbortSignal;
}
