import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Stages of a batch whose time is measured. */
export const STAGES = ['decode', 'transform', 'encode', 'commit'] as const;

/**
 * What works more slowly, or elsewhere, than intended: a segment that the CPU encodes instead of NVENC, a job that the CPU
 * decodes, a model on another engine, smaller tiles after a lack of memory, frames on disk instead of the RAM disk.
 */
export const FALLBACKS = ['encoder', 'decoder', 'engine', 'tile', 'ram-disk'] as const;

/**
 * What continues after a failure: a worker that crashed, a job whose process died, a job that gets another attempt, a
 * database that was damaged.
 */
export const RECOVERIES = ['worker', 'interrupted-job', 'attempt', 'database'] as const;

/** Something that a process or thread has measured or counted, as plain data. */
export type Measurement =
  /** The time that a stage took for a batch. */
  | {
      readonly kind: 'stage';
      readonly stage: (typeof STAGES)[number];
      readonly ms: number;
      readonly frames: number;
    }
  /** The time that one frame took to be transformed. */
  | { readonly kind: 'frame'; readonly ms: number }
  /** The images that were waiting for a model when a request for it was added, including that one. */
  | { readonly kind: 'queue-depth'; readonly frames: number }
  | { readonly kind: 'fallback'; readonly of: (typeof FALLBACKS)[number] }
  | { readonly kind: 'recovery'; readonly of: (typeof RECOVERIES)[number] };

const NAME = 'framekiln.measurements';
const measurements = channel(NAME);

/** Publishes a measurement to the followers in this thread; costs nothing if there is none. */
export function measure(measurement: Measurement): void {
  if (measurements.hasSubscribers) measurements.publish(measurement);
}

/** Calls `follower` with each measurement of this thread. @returns a function that ends this */
export function followMeasurements(follower: (measurement: Measurement) => void): () => void {
  const listen = (message: unknown): void => follower(message as Measurement);
  subscribe(NAME, listen);
  return () => {
    unsubscribe(NAME, listen);
  };
}
