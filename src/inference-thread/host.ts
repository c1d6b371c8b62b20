import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  FromTransform,
  FromTransformThread,
  ToTransform,
  ToTransformThread,
  TransformSetup,
} from './protocol.ts';

interface StreamEvents {
  message: [FromTransform];
  error: [Error];
  exit: [];
}

/** One stream's end of the transform thread; it looks like a thread of its own. */
export class StreamPort extends EventEmitter<StreamEvents> {
  readonly postMessage: (message: ToTransform) => void;

  constructor(postMessage: (message: ToTransform) => void) {
    super();
    this.postMessage = postMessage;
  }
}

/**
 * The transform thread, for all jobs of a worker. It is started with the first stream, lives as long as the process, and is
 * started anew when it has crashed; every stream that was on it has ended then.
 */
export class TransformHost {
  #thread: Worker | null = null;
  #next = 0;
  readonly #ports = new Map<number, StreamPort>();

  /** How many streams are open; a closed one counts until the run that it was in has returned. */
  get openCount(): number {
    return this.#ports.size;
  }

  open(setup: TransformSetup): StreamPort {
    const thread = (this.#thread ??= this.#start());
    const stream = this.#next++;
    const send = (message: ToTransformThread): void => thread.postMessage(message);
    const port = new StreamPort((message) => send({ stream, message }));
    this.#ports.set(stream, port);
    send({ stream, setup });
    return port;
  }

  #start(): Worker {
    const thread = new Worker(new URL('./thread.js', import.meta.url));
    thread.on('message', ({ stream, message }: FromTransformThread) => {
      const port = this.#ports.get(stream);
      if (message.kind === 'closed') {
        this.#ports.delete(stream);
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
