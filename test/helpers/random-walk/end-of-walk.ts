import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { homeIdIn } from '../../../src/queue/home-store.ts';
import { filesBelow } from '../framekiln.ts';
import { sha256Of } from './contents.ts';
import type { Walk } from './step.ts';
import type { WalkedHome } from './walked-home.ts';

/** Runs of `start --once` until nothing is left to do. */
const RUNS = 3;

/** Files that Framekiln keeps in a home while nothing runs. */
const STATE =
  /^(framekiln\.yaml|logs\/.*|\.framekiln\/(framekiln\.db(-wal|-shm)?|daemon\.lock|(detected|last-valid-settings)\.yaml|probe\.json|reports\/\d+\.json))$/;

/** Undoes pauses and cancellations, runs Framekiln until it is idle, and returns what is wrong then. */
export async function endOfWalk(walked: WalkedHome, source: Walk['source']): Promise<string[]> {
  walked.finishCopies();
  await walked.take({ kind: 'stop' });
  walked.command('resume');
  // Carries out the commands that were sent while no daemon was running.
  walked.command('start', '--once');
  for (const { id, state } of walked.jobs()) {
    if (state === 'paused') walked.command('resume', String(id));
    if (state === 'cancelled') walked.command('retry', String(id));
  }
  let run = 0;
  do {
    walked.endWaits();
    // The first run carries out the commands above; without it, a job that was cancelled would stay so.
    walked.command('start', '--once');
  } while (++run < RUNS && openJobs(walked).length > 0);
  walked.noteOutputs();
  walked.belongings.noteGone();
  const all = [
    ...walked.violations,
    ...walked.belongings.violations(),
    ...lostVideos(walked, source),
    ...leftovers(walked),
  ];
  return all.map((each) => each.replaceAll(`${walked.home}/`, ''));
}

/** Sources that were removed without an output, sources that were never processed, and finished videos that are gone. */
function lostVideos(walked: WalkedHome, source: Walk['source']): string[] {
  const { belongings, finished, destroyed, home } = walked;
  const now = walked.finishedNow();
  // What the person has deleted or edited is no loss.
  const made = new Set([...now, ...destroyed].map((each) => each.split(' ')[0]));
  const folder = join(home, 'finished');
  const moved = new Set(filesBelow(folder).map((path) => sha256Of(readFileSync(join(folder, path)))));
  const lost: string[] = [];
  for (const { path, sha256, content } of belongings.gone) {
    const name = `source ${path} (content ${content?.number})`;
    if (source === 'keep') lost.push(`A: the ${name} is gone`);
    else if (!made.has(String(content?.number))) lost.push(`B: the ${name} is gone, without an output`);
    // Two sources with one name and the same bytes become one file there.
    if (source === 'move' && !moved.has(sha256))
      lost.push(`B: the ${name} is neither in its place nor in finished/`);
  }
  for (const { path, content, kind } of belongings.present)
    if (kind === 'source' && path.startsWith(join(home, 'input')) && !made.has(String(content?.number)))
      lost.push(`B: the source ${path} (content ${content?.number}) has no output`);
  for (const each of finished)
    if (!now.has(each) && !destroyed.has(each)) lost.push(`B: the finished video of content ${each} is gone`);
  return lost;
}

/** Jobs that have not ended, a damaged database, and files that belong to no job and no user. */
function leftovers(walked: WalkedHome): string[] {
  const { home, belongings, database } = walked;
  const found = openJobs(walked).map(
    ({ id, state, sourcePath }) => `C: job ${id} (${sourcePath}) is ${state}`,
  );
  const db = new SqliteDatabase(database);
  const integrity = db.pragma('integrity_check', { simple: true });
  db.close();
  if (integrity !== 'ok') found.push(`C: integrity check of the database: ${String(integrity)}`);
  const outputs = /^(output|finished)\/(?!(?:.*\/)?\.)/;
  // Failed jobs keep their checkpoints.
  const kept = walked
    .jobs()
    .flatMap(({ id, state }) => (state === 'failed' ? [`.framekiln/jobs/${id}/`] : []));
  const isKept = (path: string) => kept.some((folder) => path.startsWith(folder));
  for (const path of filesBelow(home).filter((each) => !isKept(each)))
    if (!STATE.test(path) && !outputs.test(path) && belongings.at(join(home, path)) === undefined)
      found.push(`C: ${path} is left`);
  const id = homeIdIn(database);
  const ramDisks = readdirSync('/dev/shm').filter((name) => id !== null && name.includes(id));
  for (const name of ramDisks) found.push(`C: /dev/shm/${name} is left`);
  if (readFileSync('/proc/self/mounts', 'utf8').includes(home)) found.push('C: a RAM disk is mounted');
  return found;
}

function openJobs(walked: WalkedHome) {
  return walked.jobs().filter(({ state }) => ['queued', 'running', 'paused'].includes(state));
}
