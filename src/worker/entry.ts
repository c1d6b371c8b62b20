import { join } from 'node:path';
import { failPointFolder, traceFile, workerMemoryBytes } from '../config/environment.ts';
import { homeAt, programRoot } from '../config/home.ts';
import { LiveSettings } from '../config/live-settings.ts';
import { FramekilnError, toError } from '../domain/errors.ts';
import { armFailPoints } from '../lib/fail-point.ts';
import { createForwardingLogger } from '../observability/forwarding-logger.ts';
import { openQueue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { totalMemoryBytes } from '../workspace/memory.ts';
import { HEARTBEAT_MS, type FromWorker, type ToWorker, type WorkerStart } from './protocol.ts';
import { Worker } from './worker.ts';

/** Of all memory; far more than a model and the frames of its batches take, and the machine still lives. */
const LARGEST_MEMORY_SHARE = 0.6;

/** The worker process: started by the daemon's supervisor, ended by it, or when there is nothing left to do. */
async function main(): Promise<void> {
  const start = JSON.parse(process.argv[2] ?? '') as WorkerStart;
  const home = homeAt(start.homeRoot);
  const log = createForwardingLogger((entry) => void say({ kind: 'log', entry }));
  const queue = openQueue(home.databaseFile);
  const worker = new Worker({
    home,
    // The daemon tells what is wrong with the files.
    settings: new LiveSettings({ home, flags: start.flags }),
    queue,
    log,
    modelFolders: [home.models, join(programRoot, 'models')],
    traceFile: traceFile(),
    onlyJobId: start.onlyJobId,
    alone: start.alone,
    memoryLimitBytes: workerMemoryBytes() ?? totalMemoryBytes() * LARGEST_MEMORY_SHARE,
  });
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') worker.stop();
    else worker.dropJob(message.jobId);
  });
  // Without its daemon a worker is an orphan: it lets go and ends.
  process.on('disconnect', () => worker.stop());
  process.on('SIGTERM', () => worker.stop());
  // Ctrl-C and a closed terminal reach the whole process group; the daemon decides what it means.
  for (const name of ['SIGINT', 'SIGHUP']) process.on(name, () => undefined);
  // Its end may have come before there was anybody to hear it.
  if (!process.connected) worker.stop();
  const heartbeat = setInterval(() => void say({ kind: 'alive' }), HEARTBEAT_MS);
  await worker.run();
  clearInterval(heartbeat);
  queue.close();
  await say({ kind: 'released' });
  if (worker.isStopping) killSelf();
}

/** `exit` would wait for a run of seconds on the transform thread, and then onnxruntime aborts. */
function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Settles when the message is on its way. The daemon may be gone; then nobody listens and nothing is lost. */
function say(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

armFailPoints(failPointFolder());
main().then(
  () => process.exit(0),
  async (error: unknown) => {
    if (isDamage(error)) await say({ kind: 'damaged' });
    const { message: said, stack } = toError(error);
    const message = `worker: ${error instanceof FramekilnError ? said : (stack ?? said)}`;
    await say({ kind: 'log', entry: { atMs: Date.now(), level: 'error', prefix: null, message } });
    killSelf();
  },
);
