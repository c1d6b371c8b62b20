import { parentPort } from 'node:worker_threads';
import { failPointFolder } from '../config/environment.ts';
import { codeOf, InternalError, toError } from '../domain/errors.ts';
import { availableEngines } from '../inference/available-engines.ts';
import { SharedEngines } from '../inference/shared-engines.ts';
import { armFailPoints } from '../lib/fail-point.ts';
import type { FromTransform, FromTransformThread, ToTransformThread } from './protocol.ts';
import { InferencePort } from './stream.ts';

/**
 * The thread that the pipelines of all jobs live on, because an engine's run blocks the loop that calls it. One thread for
 * all: they share engines, and the engine's own threads use all cores.
 */
armFailPoints(failPointFolder());
if (parentPort === null)
  throw new InternalError('inference-thread/thread.ts runs as a thread of the worker only.');
const port = parentPort;
const streams = new Map<number, InferencePort>();
let sharing = { batch: 1, waitMs: 0 };
const engines = new SharedEngines(availableEngines(), () => ({ ...sharing, now: () => performance.now() }));

function sayFor(stream: number): (message: FromTransform) => void {
  return (message) => port.postMessage({ stream, message } satisfies FromTransformThread);
}

function open({ stream, setup }: Extract<ToTransformThread, { setup: unknown }>): void {
  const say = sayFor(stream);
  sharing = setup.sharing;
  const shared = engines.forStream({ id: stream, weight: setup.weight }, (share) =>
    say({ kind: 'share', share }),
  );
  try {
    streams.set(stream, new InferencePort(setup, shared, say));
  } catch (error) {
    say({ kind: 'failed', code: codeOf(error), message: toError(error).message });
  }
}

/** Whether the stream was opened or not, whoever closed it hears of its end. */
async function close(stream: number, ended: Promise<void> | null): Promise<void> {
  const say = sayFor(stream);
  try {
    await ended;
  } catch (error) {
    // Thrown on, it would end the thread with the streams of all other jobs.
    say({ kind: 'notice', text: `its model could not be unloaded: ${toError(error).message}` });
  }
  streams.delete(stream);
  say({ kind: 'closed' });
}

port.on('message', (request: ToTransformThread) => {
  if ('setup' in request) {
    open(request);
    return;
  }
  const { stream, message } = request;
  const ended = streams.get(stream)?.receive(message) ?? null;
  if (message.kind === 'close') void close(stream, ended);
});
