import { appendFileSync, openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `a` with each of `b`: `a.b`. */
function each<A extends string, B extends string>(a: readonly A[], b: readonly B[]): `${A}.${B}`[] {
  return a.flatMap((first) => b.map((second) => `${first}.${second}` as const));
}

/**
 * Every place at which a test can kill, stop or fail the program. A name says what has just happened or is about to:
 * `segment.before-rename` lies between the segment's fdatasync and its rename.
 */
export const FAIL_POINTS = [
  // Files that are written and published by the one helper (R5), and those that ffmpeg or a copy writes for it.
  ...each(['frame-index', 'report', 'other-file'], ['before-write']),
  ...each(
    ['frame-index', 'report', 'other-file', 'segment', 'output', 'moved-source'],
    ['before-datasync', 'before-rename', 'before-folder-sync', 'published'],
  ),
  ...each(['job-folder'], ['before-creation', 'created', 'before-removal', 'removed']),
  ...each(['source'], ['before-settling', 'settled']),
  // Frames of a batch on their way.
  ...each(['decoded-frames', 'transformed-frame'], ['before-write', 'written']),
  ...each(['frames'], ['before-spill', 'before-drop', 'dropped']),
  ...each(['segment'], ['before-encoding', 'closed', 'verified', 'stranger-before-removal']),
  ...each(['output'], ['before-join', 'joined', 'verified']),
  ...each(['ram-disk'], ['before-set-up', 'set-up', 'stamped', 'before-removal', 'unmounted', 'removed']),
  // Transactions, and single statements that are one.
  ...each(
    [
      'migration',
      'enqueue',
      'commit-batch',
      'remove-batch',
      'sweep-leases',
      'fail-attempt',
      'put-seen-files',
      'remove-seen-files',
      'cancel-job',
      'retry-job',
      'pause-queue',
    ],
    ['before-begin', 'begun', 'before-commit', 'committed'],
  ),
  ...each(
    [
      'claim',
      'renew-lease',
      'release-lease',
      'publish-job',
      'finish-job',
      'report-progress',
      'insert-command',
      'handle-command',
    ],
    ['before-write', 'written'],
  ),
] as const;

export type FailPoint = (typeof FAIL_POINTS)[number];

type WithStep<Step extends string> = FailPoint extends infer Name
  ? Name extends `${infer What}.${Step}`
    ? What
    : never
  : never;

/** What the publishing helper publishes. */
export type PublishedFile = WithStep<'before-rename'>;
/** What is one transaction of several statements. */
export type TransactionName = WithStep<'before-commit'>;

let folder: string | null = null;
const LEAK_BYTES = 64 * 1024 ** 2;
const leaked: Buffer[] = [];
const hits = new Map<FailPoint, number>();

/**
 * Arms the fail points of this process, or of this thread, from a folder (`FRAMEKILN_FAIL_POINTS`); null leaves them
 * free. Its file `armed`, read at every hit, has lines `NAME NTH ACTION`: at its n-th hit in a process the point acts,
 * once in all processes together; with `NTH+` at that hit and all later ones while the line stands there. Actions:
 * `kill` (this process), `kill-group` (its whole process group), `stop` (until SIGCONT), `hang` (this
 * thread, for ever), `leak` (64 MB that are never given back), or the code of the error to throw, such as `ENOSPC`. Each hit is a line in the folder's file `hits`.
 */
export function armFailPoints(from: string | null): void {
  folder = from;
}

/** A place at which a test can make the program fail. Costs one comparison where nothing is armed. */
export function failPoint(name: FailPoint): void {
  if (folder === null) return;
  const hit = (hits.get(name) ?? 0) + 1;
  hits.set(name, hit);
  appendFileSync(join(folder, 'hits'), `${name}\n`);
  for (const [point, nth = '1', action = 'kill'] of readArmed(folder)) {
    if (point !== name) continue;
    const lasting = nth.endsWith('+');
    if (lasting ? hit >= Number.parseInt(nth) : hit === Number(nth) && isFirst(folder, name))
      act(name, action);
  }
}

function readArmed(from: string): string[][] {
  try {
    return readFileSync(join(from, 'armed'), 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
  } catch {
    return []; // Hits are counted, and nothing is armed.
  }
}

/** Whether no process has acted at this point before. */
function isFirst(from: string, name: FailPoint): boolean {
  try {
    closeSync(openSync(join(from, `fired-${name}`), 'wx'));
    return true;
  } catch {
    return false;
  }
}

function act(name: FailPoint, action: string): void {
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (action === 'kill-group') process.kill(0, 'SIGKILL');
  else if (action === 'stop') {
    process.kill(process.pid, 'SIGSTOP');
    // Another thread may take the signal: wait for it, so that nothing after this place is done before the stop.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  } else if (action === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  else if (action === 'leak') leaked.push(Buffer.alloc(LEAK_BYTES, 1));
  else throw Object.assign(new Error(`${action}: fail point ${name}`), { code: action });
}
