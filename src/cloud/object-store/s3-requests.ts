import { setTimeout as delay } from 'node:timers/promises';
import { hasStatus } from '../aws/aws-errors.ts';
import { ConditionFailed, type PutCondition } from './object-store.ts';

/** An object of S3, as requests name it. */
export interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

/** Limit for a small request with all its retries, so that one that hangs does not keep a worker from noticing that. */
const SMALL_REQUEST_MS = 30_000;

/** Attempts for a write that meets another one on its key (409). */
const ATTEMPTS = 5;

/** Options of a small request. */
export function limited(signal?: AbortSignal): { abortSignal: AbortSignal } {
  const limit = AbortSignal.timeout(SMALL_REQUEST_MS);
  return { abortSignal: signal === undefined ? limit : AbortSignal.any([limit, signal]) };
}

/** Options of a request that may take as long as it moves. */
export function until(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

export function conditionOf(condition: PutCondition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return 'ifMatch' in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: '*' };
}

/** Makes a conditional write; repeats it where another write to the key is under way (409), as the protocol asks for. */
export async function conditional<Result>(key: string, write: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (hasStatus(error, 412))
        throw new ConditionFailed(`The object ${key} exists already or was changed.`, { cause: error });
      if (!hasStatus(error, 409) || attempt === ATTEMPTS) throw error;
      await delay(attempt * 100);
    }
  }
}
