import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConditionFailed } from '../object-store/object-store.ts';
import type { CloudJob } from '../queue/job-message.ts';
import type { CloudContext } from './cloud-context.ts';
import { Poison } from './ends.ts';
import type { MessageHold } from './message-hold.ts';
import { atPlaceOfMessage } from './place-of-message.ts';

/** Downloads of a video that is replaced meanwhile. */
const ATTEMPTS = 3;

/** Downloads the video as it is now. @throws Poison INPUT_MISSING or INPUT_NOT_READABLE */
export async function downloadSource(
  context: CloudContext,
  { input }: CloudJob,
  path: string,
  hold: MessageHold,
): Promise<void> {
  let bytes = 0;
  const watch = setInterval(() => {
    const folder = dirname(path);
    const now = readdirSync(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
    if (now !== bytes) hold.moved();
    bytes = now;
  }, 1000);
  const fault = {
    code: 'INPUT_NOT_READABLE',
    what: `${input.key} in the bucket ${input.bucket} cannot be read`,
  };
  try {
    await atPlaceOfMessage(context, fault, () => download(context, input, path, hold.signal));
  } finally {
    clearInterval(watch);
  }
}

async function download(
  { bucket, log }: CloudContext,
  input: CloudJob['input'],
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const store = bucket(input.bucket);
  for (let attempt = 1; ; attempt++) {
    const head = await store.head(input.key);
    if (head === undefined)
      throw new Poison('INPUT_MISSING', `There is no object ${input.key} in the bucket ${input.bucket}.`);
    try {
      await store.getFile(input.key, path, { ifMatch: head.etag, signal });
      return;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === ATTEMPTS) throw error;
      log.warn(`${input.key} was replaced while it was downloaded; downloading it again`);
    }
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
