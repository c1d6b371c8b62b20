// What the user can do with jobs. Every answer of the daemon is shown.
import { post } from './api.js';
import { revision, toast } from './state.js';

const UNDO_MS = 5000;

/** Sends a command and shows the answer. @returns whether it was carried out */
export async function send(path, body) {
  try {
    const { sentence } = await post(path, body);
    if (sentence !== undefined) toast(sentence);
    revision.value++;
    return true;
  } catch (error) {
    toast(error.message, { kind: 'error', ms: 10_000 });
    return false;
  }
}

export function commandJob(job, kind) {
  return send(`api/jobs/${job.id}/${kind}`);
}

/**
 * Changes several jobs at once, and offers to take that back.
 *
 * @param group `{ kind, ids }`, with `priority` for the kind `prioritise`
 */
export async function changeGroup(group) {
  try {
    const { sentence, undo } = await post('api/jobs/group', group);
    revision.value++;
    const removeToast = toast(sentence, {
      ms: 2 * UNDO_MS,
      action: undo.length === 0 ? null : { label: 'Undo', run: () => (removeToast(), takeBack(undo)) },
    });
  } catch (error) {
    toast(error.message, { kind: 'error', ms: 10_000 });
  }
}

async function takeBack(groups) {
  try {
    const answers = [];
    for (const group of groups) answers.push(await post('api/jobs/group', group));
    // A busy daemon has not undone it yet.
    toast(answers.find(({ kind }) => kind !== 'done')?.sentence ?? 'Undone.');
  } catch (error) {
    toast(error.message, { kind: 'error', ms: 10_000 });
  }
  revision.value++;
}

/** Cancels a job in five seconds, unless the user takes it back: its checkpoints are deleted with it. */
export function cancelLater(job) {
  sendLater(`${job.id}`, `Cancelling ${job.file} …`, () => commandJob(job, 'cancel'));
}

/** The same for several jobs, and for other changes that cannot be undone. */
export function changeGroupLater(group, text) {
  sendLater(JSON.stringify(group), text, () => send('api/jobs/group', group));
}

/** What will be sent, by what it is. */
const pending = new Map();

function sendLater(key, text, command) {
  if (pending.has(key)) return;
  const forget = () => {
    clearTimeout(pending.get(key)?.timer);
    pending.delete(key);
    removeToast();
  };
  const carryOut = () => {
    forget();
    void command();
  };
  pending.set(key, { timer: setTimeout(carryOut, UNDO_MS), carryOut });
  const removeToast = toast(text, { action: { label: 'Undo', run: forget }, ms: UNDO_MS });
}

// Who leaves the page wanted it.
addEventListener('pagehide', () => {
  for (const { carryOut } of pending.values()) carryOut();
});
