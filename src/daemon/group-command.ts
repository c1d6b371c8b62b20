import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { toError } from '../domain/errors.ts';
import { counted } from '../lib/counted.ts';

/** Jobs in one command at most. */
export const MOST_IN_GROUP = 10_000;
/** Jobs that are changed at once, so that other work of the daemon comes in between. */
const PART = 50;

const Ids = z.array(z.int().positive()).min(1).max(MOST_IN_GROUP).meta({ description: 'job IDs' });

/** One change for several jobs. */
export const GroupCommand = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['pause', 'resume', 'cancel', 'retry']), ids: Ids }),
  z.strictObject({ kind: z.literal('prioritise'), ids: Ids, priority: z.int() }),
]);
export type GroupCommand = z.infer<typeof GroupCommand>;

/**
 * Makes a change for each job of a group, whatever becomes of the others.
 *
 * @param change makes it for one job; returns a sentence, or throws if the state of the job does not allow the change
 * @returns a sentence for the user
 * @throws Error if it could be made for none of them
 */
export async function carryOutForGroup(
  group: GroupCommand,
  change: (jobId: number) => Promise<string>,
): Promise<string> {
  const { ids } = group;
  let [changedCount, said] = [0, ''];
  const faults: string[] = [];
  for (const [index, id] of ids.entries()) {
    try {
      said = await change(id);
      changedCount++;
    } catch (error) {
      faults.push(toError(error).message);
    }
    if (index % PART === PART - 1) await nextTurn();
  }
  const [fault] = faults;
  if (fault === undefined)
    return changedCount === 1 ? said : `${counted(changedCount, 'job')} ${whatOf(group)}.`;
  if (changedCount === 0) throw new Error(fault);
  const others = faults.length === 1 ? '' : ` The other ${faults.length - 1} could not be changed either.`;
  return `${changedCount} of ${counted(ids.length, 'job')} ${whatOf(group)}. ${fault}${others}`;
}

/** What has become of the jobs, as the rest of a sentence. */
function whatOf(group: GroupCommand): string {
  switch (group.kind) {
    case 'pause':
      return 'paused; checkpoints are kept';
    case 'resume':
      return 'queued';
    case 'cancel':
      return 'cancelled';
    case 'retry':
      return 'queued again';
    case 'prioritise':
      return `set to priority ${group.priority}`;
  }
}
