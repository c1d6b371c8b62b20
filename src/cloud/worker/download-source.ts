import { ConditionFailed } from '../object-store/object-store.ts';
import type { CloudPlace } from '../queue/job-message.ts';
import type { CloudContext } from './cloud-context.ts';
import { Poison } from './ends.ts';
import type { MessageHold } from './message-hold.ts';
import { atPlaceOfMessage } from './place-of-message.ts';

/** Downloads of a video that is replaced meanwhile. */
const ATTEMPTS = 3;

/**
 * Downloads the video as it is now.
 *
 * @throws Poison INPUT_MISSING or INPUT_NOT_READABLE
 */
export async function downloadSource(
  context: CloudContext,
  input: CloudPlace,
  path: string,
  hold: MessageHold,
): Promise<void> {
  const fault = {
    code: 'INPUT_NOT_READABLE',
    what: `${input.key} in the bucket ${input.bucket} cannot be read`,
  };
  await atPlaceOfMessage(context, fault, () => download(context, input, path, hold));
}

async function download(
  { bucket, log }: CloudContext,
  input: CloudPlace,
  path: string,
  hold: MessageHold,
): Promise<void> {
  const store = bucket(input.bucket);
  for (let attempt = 1; ; attempt++) {
    const head = await store.head(input.key);
    if (head === undefined)
      throw new Poison('INPUT_MISSING', `There is no object ${input.key} in the bucket ${input.bucket}.`);
    try {
      await store.getFile(input.key, path, { ifMatch: head.etag, ...hold.transfer });
      return;
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === ATTEMPTS) throw error;
      log.warn(`${input.key} was replaced while it was downloaded; downloading it again`);
    }
  }
}
