import '../config/no-telemetry.ts';
import { failPointFolder, traceFile, workerMemoryBytes } from '../config/environment.ts';
import { homeAt, modelFolders } from '../config/home.ts';
import { LiveSettings } from '../config/live-settings.ts';
import { FramekilnError, InternalError, toError } from '../domain/errors.ts';
import { armFailPoints } from '../lib/fail-point.ts';
import { CountGate } from '../lib/count-gate.ts';
import { createPrivately } from '../lib/user-umask.ts';
import { createForwardingLogger } from '../observability/forwarding-logger.ts';
import { followMeasurements, type Measurement } from '../observability/measurements.ts';
import { openExistingQueue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { totalMemoryBytes } from '../workspace/memory.ts';
import { HEARTBEAT_MS, type FromWorker, type ToWorker, type WorkerStart } from './protocol.ts';
import { whenWritable } from './when-writable.ts';
import { Worker } from './worker.ts';

/** Share of all memory at which a worker restarts: far more than models and frames need, and safe for the machine. */
const MAX_MEMORY_SHARE = 0.6;

/** The worker process. The supervisor of the daemon starts it; it ends when the daemon stops it or no job is left. */
async function main(): Promise<void> {
  const start = JSON.parse(process.argv[2] ?? '') as WorkerStart;
  createPrivately(start.umask);
  const memoryLimitBytes = workerMemoryBytes() ?? (await totalMemoryBytes()) * MAX_MEMORY_SHARE;
  const folders = homeAt(start.homeRoot);
  const log = createForwardingLogger((entry) => void send({ kind: 'log', entry }));
  const stopping = stopRequested();
  const sendMeasurements = collectMeasurements();
  const heartbeat = setInterval(() => {
    void send({ kind: 'alive' });
    sendMeasurements();
  }, HEARTBEAT_MS);
  const queue = await whenWritable(() => openExistingQueue(folders.databaseFile), log, stopping);
  if (queue === null) return;
  const id = queue.home.identity()?.id;
  if (id === undefined)
    throw new InternalError(`The database ${folders.databaseFile} does not contain the ID of its home.`);
  const home = { ...folders, id };
  const commitGate = new CountGate(start.commitLimit ?? Infinity);
  const worker = new Worker({
    home,
    // Without a listener: the daemon reports faults in the settings.
    settings: new LiveSettings({ home, flags: start.flags }),
    queue,
    log,
    modelFolders: modelFolders(home),
    traceFile: traceFile(),
    onlyJobId: start.onlyJobId,
    alone: start.alone,
    memoryLimitBytes,
    commitGate,
    onClaimed: () => void send({ kind: 'claimed' }),
  });
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'drop-job') worker.dropJob(message.jobId);
    if (message.kind === 'commit-limit') commitGate.raise(message.batches);
  });
  stopping.addEventListener('abort', () => worker.stop());
  if (stopping.aborted) worker.stop();
  await worker.run();
  clearInterval(heartbeat);
  sendMeasurements();
  queue.close();
  await send({ kind: 'released' });
  if (worker.isStopping) killSelf();
}

/** Collects what this process measures. @returns a function that sends it to the daemon, in one message */
function collectMeasurements(): () => void {
  let measurements: Measurement[] = [];
  followMeasurements((measurement) => measurements.push(measurement));
  return () => {
    if (measurements.length === 0) return;
    void send({ kind: 'measured', measurements });
    measurements = [];
  };
}

/** Aborts when the daemon asks the worker to stop, or is gone. */
function stopRequested(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on('message', ({ kind }: ToWorker) => {
    if (kind === 'stop') stop();
  });
  process.on('disconnect', stop);
  process.on('SIGTERM', stop);
  // Ctrl-C and a closed terminal signal the whole process group; the daemon decides what to do.
  for (const name of ['SIGINT', 'SIGHUP']) process.on(name, () => undefined);
  // The daemon may have gone before the listener was there.
  if (!process.connected) stop();
  return stopping.signal;
}

/** Ends the process at once: `exit` would wait for a run on the inference thread, after which onnxruntime aborts. */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Settles when the message is sent, or at once when the daemon is gone. */
function send(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

armFailPoints(failPointFolder());
main().then(
  () => process.exit(0),
  async (error: unknown) => {
    if (isDamage(error)) await send({ kind: 'damaged' });
    const { message: sentence, stack } = toError(error);
    const message = `worker: ${error instanceof FramekilnError ? sentence : (stack ?? sentence)}`;
    await send({ kind: 'log', entry: { atMs: Date.now(), level: 'error', prefix: null, message } });
    killSelf();
  },
);
