import { codeOfAws, explainRefusal } from '../aws/aws-errors.ts';
import type { CloudContext } from './cloud-context.ts';
import { Poison } from './ends.ts';

/**
 * Makes a request to a place that the message names. If AWS refuses it while the credentials are valid elsewhere, this job alone
 * is at fault, not the worker.
 *
 * @param fault code, and the beginning of the sentence that ends with AWS' reason
 * @throws Poison with that code
 */
export async function atPlaceOfMessage<Answer>(
  { bucket, rules }: CloudContext,
  { code, what }: { readonly code: string; readonly what: string },
  request: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await request();
  } catch (error) {
    const why = codeOfAws(error) === 'QueueDoesNotExist' ? 'there is no such queue.' : explainRefusal(error);
    if (why === null) throw error;
    // Throws what ends the worker if the checkpoints cannot be read either.
    await bucket(rules.bucket).get('state/access');
    throw new Poison(code, `${what}: ${why}`, { cause: error });
  }
}
