import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { measure } from '../observability/measurements.ts';
import type { FromPort, FromThread, PipelineSetup, ToPort, ToThread } from './protocol.ts';

interface PortEvents {
  message: [FromPort];
  error: [Error];
  exit: [];
}

/** The worker's end of a port to one job's pipeline. It has the events of a thread. */
export class InferencePort extends EventEmitter<PortEvents> {
  readonly postMessage: (message: ToPort) => void;

  constructor(postMessage: (message: ToPort) => void) {
    super();
    this.postMessage = postMessage;
  }
}

/**
 * The one thread on which the pipelines of all jobs of a worker run. It starts with the first port and lives as long as
 * the process; after a crash, which ends every open port, the next `open` starts it again.
 */
export class InferenceThread {
  #thread: Worker | null = null;
  #nextPort = 0;
  readonly #ports = new Map<number, InferencePort>();

  /** Number of open ports; a closed port counts until its current run has returned. */
  get openCount(): number {
    return this.#ports.size;
  }

  open(setup: PipelineSetup): InferencePort {
    const thread = (this.#thread ??= this.#start());
    const id = this.#nextPort++;
    const send = (message: ToThread): void => thread.postMessage(message);
    const port = new InferencePort((message) => send({ port: id, message }));
    this.#ports.set(id, port);
    send({ port: id, setup });
    return port;
  }

  #start(): Worker {
    const thread = new Worker(new URL('./thread.js', import.meta.url));
    thread.on('message', (received: FromThread) => {
      if ('measurement' in received) {
        measure(received.measurement);
        return;
      }
      const { port: id, message } = received;
      const port = this.#ports.get(id);
      if (message.kind === 'closed') {
        this.#ports.delete(id);
        port?.emit('exit');
      } else {
        port?.emit('message', message);
      }
    });
    thread.on('error', (error: Error) => {
      for (const port of this.#ports.values()) port.emit('error', error);
    });
    thread.on('exit', () => {
      this.#thread = null;
      const ended = [...this.#ports.values()];
      this.#ports.clear();
      for (const port of ended) port.emit('exit');
    });
    return thread;
  }
}
