import { Semaphore } from '../../lib/semaphore.ts';

/** One stage of the work on a batch: takes the record of the stage before it and returns its own. */
export type Stage<In, Out> = (record: In, signal: AbortSignal) => Promise<Out>;

export interface Stages<Item, Decoded, Transformed, Encoded> {
  readonly decode: Stage<Item, Decoded>;
  readonly transform: Stage<Decoded, Transformed>;
  readonly encode: Stage<Transformed, Encoded>;
  readonly commit: Stage<Encoded, void>;
}

/** Items that are transformed and not committed, at most: that much work a killed or suspended worker may lose. */
const MAX_UNCOMMITTED = 2;

/**
 * Takes items through decode, transform, encode and commit. The stages work at the same time on different items; each stage
 * gets one item at a time, in order. At most `maxInFlight` items are started and not committed, so memory does not
 * depend on the number of items, and at most two of them are transformed and not committed.
 *
 * The first failure stops all stages and is thrown once every stage has stopped.
 *
 * @param items in order, or a function that gives them one by one as they are ready, until its signal is aborted
 */
export async function runStages<Item, Decoded, Transformed, Encoded>(
  items: Iterable<Item> | ((signal: AbortSignal) => AsyncIterable<Item>),
  { decode, transform, encode, commit }: Stages<Item, Decoded, Transformed, Encoded>,
  maxInFlight: number,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const combined = AbortSignal.any([signal, failure.signal]);
  const inFlight = new Semaphore(maxInFlight);
  const uncommitted = new Semaphore(MAX_UNCOMMITTED);
  const decodeTurn = oneAtATime(decode, combined);
  const transformTurn = oneAtATime(transform, combined);
  const encodeTurn = oneAtATime(encode, combined);
  const commitTurn = oneAtATime(commit, combined);

  const carry = async (item: Item): Promise<void> => {
    const decoded = await decodeTurn(item);
    const permit = await uncommitted.acquire({ signal: combined });
    try {
      await commitTurn(await encodeTurn(await transformTurn(decoded)));
    } finally {
      permit.release();
    }
  };

  const running = new Set<Promise<void>>();
  const startAll = async (): Promise<void> => {
    for await (const item of typeof items === 'function' ? items(combined) : items) {
      const permit = await inFlight.acquire({ signal: combined });
      const carried = carry(item)
        .catch((error: unknown) => failure.abort(error)) // Only the first abort sets the reason.
        .finally(() => {
          running.delete(carried);
          permit.release();
        });
      running.add(carried);
    }
  };
  await startAll().catch((error: unknown) => failure.abort(error));
  await Promise.all(running);
  failure.signal.throwIfAborted();
}

/** A stage that records enter one after the other, in the order of the calls. */
function oneAtATime<In, Out>(stage: Stage<In, Out>, signal: AbortSignal): (record: In) => Promise<Out> {
  const turn = new Semaphore(1);
  return async (record) => {
    const permit = await turn.acquire({ signal });
    try {
      signal.throwIfAborted();
      return await stage(record, signal);
    } finally {
      permit.release();
    }
  };
}
