import { toError } from '../domain/errors.ts';

/** Time without a turn of the daemon's loop after which the daemon counts as hung. A turn takes milliseconds. */
const STALLED_AFTER_MS = 60_000;
/** How long the daemon counts as degraded after a crash of the worker. */
const CRASH_COUNTS_MS = 10 * 60_000;

/** Something that keeps the daemon from working as intended. */
export interface Impairment {
  readonly code:
    | 'LOOP_STALLED'
    | 'QUEUE_UNUSABLE'
    | 'DISK_READ_ONLY'
    | 'SCAN_FAILED'
    | 'WORKER_CRASHED'
    | 'JOB_WAITING'
    | 'SETTINGS_INVALID';
  /** One sentence; it may name files. */
  readonly message: string;
  /** What leads out of it, in one sentence. */
  readonly remedy: string;
}

/**
 * How the daemon is. `ok`: it works as intended. `degraded`: it works, but not on everything, or has just failed.
 * `failing`: it cannot process anything.
 */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly impairments: readonly Impairment[];
}

/** What the health is judged by. */
export interface HealthFacts {
  /** Time since the last turn of the daemon's loop. */
  readonly sinceTickMs: number;
  /** Why the last turn could not use the queue; null if it could. */
  readonly queueFailure: string | null;
  /** A folder whose read-only file system pauses work; null if there is none. */
  readonly readOnlyFolder: string | null;
  /** The error of the last scan of the input folder, or null. */
  readonly scanFailure: unknown;
  /** The last crash of the worker; null if it never crashed. */
  readonly crash: { readonly how: string; readonly agoMs: number } | null;
  /** What a queued job waits for, such as space on a disk; null if none has to wait. */
  readonly waitingFor: string | null;
  /** Faults in the settings. */
  readonly settingsFaults: readonly string[];
}

/** Judges the health of the daemon. */
export function judgeHealth(facts: HealthFacts): Health {
  const { sinceTickMs, queueFailure, readOnlyFolder, scanFailure, crash, waitingFor, settingsFaults } = facts;
  const failing: Impairment[] = [];
  const degraded: Impairment[] = [];
  if (sinceTickMs > STALLED_AFTER_MS)
    failing.push({
      code: 'LOOP_STALLED',
      message: `The daemon has been stuck for ${Math.round(sinceTickMs / 1000)} s.`,
      remedy: 'Restart the daemon; jobs resume from their last checkpoint.',
    });
  if (queueFailure !== null)
    failing.push({
      code: 'QUEUE_UNUSABLE',
      message: queueFailure,
      remedy: 'Make space on the disk of .framekiln/, or make it writable; the daemon retries every second.',
    });
  if (readOnlyFolder !== null)
    failing.push({
      code: 'DISK_READ_ONLY',
      message: `${readOnlyFolder} is on a read-only file system.`,
      remedy: 'Check the disk, then mount it with write permission; jobs resume automatically.',
    });
  if (scanFailure !== null)
    degraded.push({
      code: 'SCAN_FAILED',
      message: toError(scanFailure).message,
      remedy: 'Mount the disk of input/ or make the folder readable; it is scanned again automatically.',
    });
  if (crash !== null && crash.agoMs < CRASH_COUNTS_MS)
    degraded.push({
      code: 'WORKER_CRASHED',
      message: `The worker crashed ${minutesAgo(crash.agoMs)} (${crash.how}).`,
      remedy: 'Its jobs resume automatically; if it crashes again, look for the cause in the log.',
    });
  if (waitingFor !== null)
    degraded.push({
      code: 'JOB_WAITING',
      message: waitingFor,
      remedy: 'Fix the cause if there is one; the job is retried automatically.',
    });
  const [fault] = settingsFaults;
  if (fault !== undefined)
    degraded.push({
      code: 'SETTINGS_INVALID',
      message: fault,
      remedy: 'Correct the settings file; it is read again as soon as it changes.',
    });
  const status = failing.length > 0 ? 'failing' : degraded.length > 0 ? 'degraded' : 'ok';
  return { status, impairments: [...failing, ...degraded] };
}

/** Not in seconds, because a screen reader reads out each change of a message on the page. */
function minutesAgo(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return minutes === 0 ? 'less than a minute ago' : `${minutes} min ago`;
}
