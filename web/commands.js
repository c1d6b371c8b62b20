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

const pending = new Map();

/** Cancels a job in five seconds, unless the user takes it back: its checkpoints are deleted with it. */
export function cancelLater(job) {
  if (pending.has(job.id)) return;
  const cancel = () => {
    pending.delete(job.id);
    removeToast();
    void commandJob(job, 'cancel');
  };
  const timer = setTimeout(cancel, UNDO_MS);
  pending.set(job.id, { timer, cancel });
  const undo = () => {
    clearTimeout(timer);
    pending.delete(job.id);
    removeToast();
  };
  const removeToast = toast(`Cancelling ${job.file} …`, {
    action: { label: 'Undo', run: undo },
    ms: UNDO_MS,
  });
}

// Who leaves the page wanted it.
addEventListener('pagehide', () => {
  for (const { timer, cancel } of pending.values()) {
    clearTimeout(timer);
    cancel();
  }
});
