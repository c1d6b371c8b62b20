import { appendFileSync, openSync, closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Joins each `a` with each `b` as `a.b`. */
function each<A extends string, B extends string>(a: readonly A[], b: readonly B[]): `${A}.${B}`[] {
  return a.flatMap((first) => b.map((second) => `${first}.${second}` as const));
}

/**
 * All places at which a test can kill, stop or fail the program. The name says what has just happened or is about to
 * happen: `segment.before-rename` is between the fdatasync of a segment and its rename.
 */
export const FAIL_POINTS = [
  // Files that are published by a rename, including those written by ffmpeg or by a copy.
  ...each(['frame-index', 'report', 'other-file'], ['before-write']),
  ...each(
    ['frame-index', 'report', 'other-file', 'segment', 'output', 'moved-source'],
    ['before-datasync', 'before-rename', 'before-folder-sync', 'published'],
  ),
  ...each(['job-folder'], ['before-creation', 'created', 'before-removal', 'removed']),
  ...each(['source'], ['before-settling', 'settled']),
  // The frames of a batch, from decoding to the segment.
  ...each(['decoded-frames', 'transformed-frame'], ['before-write', 'written']),
  ...each(['frames'], ['before-spill', 'before-drop', 'dropped']),
  ...each(['segment'], ['before-encoding', 'closed', 'verified', 'stranger-before-removal']),
  ...each(['output'], ['before-join', 'joined', 'verified']),
  ...each(['placeholder'], ['made']),
  ...each(['ram-disk'], ['before-set-up', 'set-up', 'stamped', 'before-removal', 'unmounted', 'removed']),
  // Transactions, then single statements.
  ...each(
    [
      'migration',
      'enqueue',
      'commit-batch',
      'commit-analysis',
      'store-directions',
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

/** Kinds of files that are published by a rename. */
export type PublishedFile = WithStep<'before-rename'>;
/** Transactions with several statements. */
export type TransactionName = WithStep<'before-commit'>;

let folder: string | null = null;
const LEAK_BYTES = 64 * 1024 ** 2;
const leaked: Buffer[] = [];
const hits = new Map<FailPoint, number>();

/**
 * Arms the fail points of this process or thread from a folder (`FRAMEKILN_FAIL_POINTS`); null disarms them.
 *
 * The file `armed` in the folder is read at every hit. Its lines are `NAME NTH ACTION`: the fail point acts at its n-th
 * hit in a process, but only once among all processes. With `NTH+` it acts at that hit and every later one while the line
 * is in the file. Actions:
 *
 * - `kill`: kills this process
 * - `kill-group`: kills its process group
 * - `stop`: suspends this process until SIGCONT
 * - `hang`: blocks this thread forever
 * - `leak`: allocates 64 MB and never frees them
 * - an error code such as `ENOSPC`: throws an error with this code
 *
 * Each hit is appended as a line to the file `hits` in the folder.
 */
export function armFailPoints(from: string | null): void {
  folder = from;
}

/** Marks a place at which a test can make the program fail. Costs one comparison while no fail point is armed. */
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
    return []; // Without the file, hits are recorded but nothing is armed.
  }
}

/** Whether no process has acted at this fail point yet. */
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
    // Another thread may handle the signal: wait, so that nothing after this fail point runs before the stop.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  } else if (action === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  else if (action === 'leak') leaked.push(Buffer.alloc(LEAK_BYTES, 1));
  else throw Object.assign(new Error(`${action}: fail point ${name}`), { code: action });
}
