import { parentPort } from 'node:worker_threads';
import { failPointFolder } from '../config/environment.ts';
import { codeOf, InternalError, toError } from '../domain/errors.ts';
import { availableEngines } from '../inference/available-engines.ts';
import { SharedEngines } from '../inference/shared-engines.ts';
import { armFailPoints } from '../lib/fail-point.ts';
import { followMeasurements } from '../observability/measurements.ts';
import { PipelineRunner } from './pipeline-runner.ts';
import type { FromPort, FromThread, ToThread } from './protocol.ts';

/**
 * Entry of the inference thread. Pipelines run here because an engine's run blocks the event loop that calls it. All
 * jobs share one thread: they share engines, and the engine's own threads already use all cores.
 */
armFailPoints(failPointFolder());
if (parentPort === null)
  throw new InternalError('inference-thread/thread.ts runs only as a thread of the worker.');
const parent = parentPort;
followMeasurements((measurement) => parent.postMessage({ measurement } satisfies FromThread));
const runners = new Map<number, PipelineRunner>();
let sharing = { batch: 1, waitMs: 0 };
const engines = new SharedEngines(availableEngines(), () => ({ ...sharing, now: () => performance.now() }));

function sendFor(port: number): (message: FromPort) => void {
  return (message) => parent.postMessage({ port, message } satisfies FromThread);
}

function open({ port, setup }: Extract<ToThread, { setup: unknown }>): void {
  const send = sendFor(port);
  sharing = setup.sharing;
  const shared = engines.forStream({ id: port, weight: setup.weight }, (share) =>
    send({ kind: 'share', share }),
  );
  try {
    runners.set(port, new PipelineRunner(setup, shared, send));
  } catch (error) {
    send({ kind: 'failed', code: codeOf(error), message: toError(error).message });
  }
}

/** Answers `closed` in any case, even where opening had failed. */
async function close(port: number, ended: Promise<void> | null): Promise<void> {
  const send = sendFor(port);
  try {
    await ended;
  } catch (error) {
    // An uncaught error would end the thread, and with it the ports of all other jobs.
    send({ kind: 'notice', text: `cannot unload the model: ${toError(error).message}` });
  }
  runners.delete(port);
  send({ kind: 'closed' });
}

parent.on('message', (request: ToThread) => {
  if ('setup' in request) {
    open(request);
    return;
  }
  const { port, message } = request;
  const ended = runners.get(port)?.receive(message) ?? null;
  if (message.kind === 'close') void close(port, ended);
});
