import { parentPort } from 'node:worker_threads';
import { failPointFolder } from '../config/environment.ts';
import { codeOf, InternalError, toError } from '../domain/errors.ts';
import { SharedEngines } from '../inference/shared-engines.ts';
import { armFailPoints } from '../lib/fail-point.ts';
import { followMeasurements } from '../observability/measurements.ts';
import { LanczosPipeline } from '../pipelines/upscale/lanczos-pipeline.ts';
import { PipelineRunner, type PipelineProgram } from './pipeline-runner.ts';
import type { FromPort, FromThread, PipelineSetup, ToThread } from './protocol.ts';

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
let engines: SharedEngines | null = null;

function sendFor(port: number): (message: FromPort) => void {
  return (message) => parent.postMessage({ port, message } satisfies FromThread);
}

/** For Lanczos, neither the engines nor the pipelines that use them are loaded, which takes 0.2 s of CPU time. */
async function loadProgram(port: number, setup: PipelineSetup): Promise<PipelineProgram> {
  const { recipe } = setup;
  if (recipe.pipeline === 'upscale' && recipe.model === 'lanczos')
    return { create: (_, { decodedTo }) => new LanczosPipeline(recipe.scale, decodedTo), engines: [] };
  const { availableEngines } = await import('../inference/available-engines.ts');
  const { createPipeline } = await import('../pipelines/create-pipeline.ts');
  engines ??= new SharedEngines(availableEngines(), () => ({ ...sharing, now: () => performance.now() }));
  const stream = { id: port, weight: setup.weight };
  const send = sendFor(port);
  return {
    create: createPipeline,
    engines: engines.forStream(stream, (share) => send({ kind: 'share', share })),
  };
}

async function open({ port, setup }: Extract<ToThread, { setup: unknown }>): Promise<void> {
  const send = sendFor(port);
  sharing = setup.sharing;
  try {
    runners.set(port, new PipelineRunner(setup, await loadProgram(port, setup), send));
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

async function receive(request: ToThread): Promise<void> {
  if ('setup' in request) return open(request);
  const { port, message } = request;
  const ended = runners.get(port)?.receive(message) ?? null;
  if (message.kind === 'close') void close(port, ended);
}

// One after the other: a pipeline may be closed while its program is loaded.
let received: Promise<void> = Promise.resolve();
parent.on('message', (request: ToThread) => {
  received = received.then(() => receive(request));
});
