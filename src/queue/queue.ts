import { createAnalysisStore, type AnalysisStore } from './analysis-store.ts';
import { createBatchStore, type BatchStore } from './batch-store.ts';
import { createCommandStore, type CommandStore } from './command-store.ts';
import { createControlStore, type ControlStore } from './control-store.ts';
import { openDatabase } from './database.ts';
import type { Database } from './sqlite.ts';
import { createEventStore, type EventStore } from './event-store.ts';
import { createHookStore, type HookStore } from './hook-store.ts';
import { homePaths } from './home-paths.ts';
import { createHistoryStore, type HistoryStore } from './history-store.ts';
import { createHomeStore, type HomeStore } from './home-store.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { createLeaseStore, type LeaseStore } from './lease-store.ts';
import { createLeaseSweep, type Sweep } from './lease-sweep.ts';
import { createMoveStore, type MoveStore } from './move-store.ts';
import { createOutputStore, type OutputStore } from './output-store.ts';
import { createMountPointStore, type MountPointStore } from './mount-point-store.ts';
import { createProgressStore, type ProgressStore } from './progress-store.ts';
import { createSeenFileStore, type SeenFileStore } from './seen-file-store.ts';

/** One connection to the queue, with prepared statements. */
export interface Queue {
  readonly jobs: JobStore;
  readonly outputs: OutputStore;
  readonly leases: LeaseStore;
  readonly progress: ProgressStore;
  readonly control: ControlStore;
  readonly moves: MoveStore;
  readonly batches: BatchStore;
  readonly analyses: AnalysisStore;
  readonly commands: CommandStore;
  readonly events: EventStore;
  readonly history: HistoryStore;
  readonly hooks: HookStore;
  readonly mountPoints: MountPointStore;
  readonly seenFiles: SeenFileStore;
  readonly home: HomeStore;
  /** Requeues jobs whose worker is dead or whose lease has expired; returns their IDs. */
  sweepLeases(sweep: Sweep): number[];
  /** Makes several writes as one transaction: all of them or none. */
  inTransaction<Result>(writes: () => Result): Result;
  /** Closes the connection. May be called twice. */
  close(): void;
}

/** Opens the queue at `path`; throws what `openDatabase` throws. */
export function openQueue(path: string): Queue {
  return createQueue(openDatabase(path));
}

/** Opens the queue at `path`; throws StateLostError if it does not exist, and what `openDatabase` throws. */
export function openExistingQueue(path: string): Queue {
  return createQueue(openDatabase(path, undefined, undefined, true));
}

export function createQueue(db: Database): Queue {
  const paths = homePaths(db.name);
  const leases = createLeaseStore(db, paths);
  const events = createEventStore(db);
  return {
    jobs: createJobStore(db, paths),
    outputs: createOutputStore(db, paths),
    leases,
    progress: createProgressStore(db, paths),
    control: createControlStore(db),
    moves: createMoveStore(db),
    batches: createBatchStore(db),
    analyses: createAnalysisStore(db),
    commands: createCommandStore(db),
    events,
    history: createHistoryStore(db),
    hooks: createHookStore(db, paths),
    mountPoints: createMountPointStore(db),
    seenFiles: createSeenFileStore(db, paths),
    home: createHomeStore(db),
    sweepLeases: createLeaseSweep(db, leases, events),
    // Immediate: begun later, after a read, it would fail at once when another process has written meanwhile.
    inTransaction: (writes) => db.transaction(writes).immediate(),
    close: () => void db.close(),
  };
}
