import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { frameMd5, makeClip } from './clips.ts';
import { cloudStandIn, type CloudStandIn, type Harm } from './cloud-stand-in.ts';
import { bytesOf, jobMessage, keys, LANCZOS, sendJob, startWorker, upload } from './cloud-worker.ts';
import { makeHome, readLog, run } from './framekiln.ts';
import { temporaryFolder } from './temporary-folder.ts';

const FRAMES = 40;

/** Requests of one worker after which it is killed, at most; a job of 40 frames makes about as many. */
const LAST_REQUEST = 70;

/** What a request does for a job, by its beginning and body; the first that fits counts. */
const STEPS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['receive the message', /ReceiveMessage/],
  ['extend or return the message', /ChangeMessageVisibility/],
  ['send an event or a copy', /SendMessage/],
  ['delete the message', /DeleteMessage/],
  ['read the queue', /GetQueue/],
  ['read the video', /^(GET|HEAD) \S*\/uploads\//],
  ['claims and signs of life', /\/(claims|alive)/],
  ['segments', /\/segments\//],
  ['rows', /\/rows\//],
  ['plan and frame index', /\/(plan\.json|frames\.index)/],
  ['output and result', /\/(output\/|result\.json)/],
  ['output under its wished key', /\/finished\//],
  ['delivered', /\/delivered/],
];

export interface CloudKillSummary {
  readonly violations: readonly string[];
  /** Rows of the table that is printed. */
  readonly lines: readonly string[];
}

/**
 * Kills workers of a queue with all their processes, each at a random request of its life, before the request takes effect or after,
 * while job after job comes. Each worker has a home of its own. Then checks that every job was done once. The seed determines the
 * requests.
 */
export async function runCloudKills(kills: number, seed: number): Promise<CloudKillSummary> {
  const random = seededRandom(seed);
  const startedAtMs = Date.now();
  const cloud = await cloudStandIn({ maxReceives: 10_000 });
  const folder = temporaryFolder();
  const clip = makeClip(join(folder, 'clip.mp4'), { frames: FRAMES });
  await upload(cloud, clip);
  const tally = new Map<string, { before: number; after: number }>();
  let jobs = 0;
  const isOver = async (): Promise<boolean> => {
    const { visible, held } = await cloud.depth(cloud.queueUrl);
    return visible + held === 0;
  };
  const sendNext = async (): Promise<void> => {
    jobs++;
    const names = { jobId: `job-${jobs}`, output: { key: `finished/${jobs}.mp4` } };
    await sendJob(cloud, jobMessage(cloud, names));
  };

  for (let kill = 0; kill < kills; kill++) {
    const worker = startWorker(cloud, join(folder, `worker-${kill}`), { args: [] });
    const hit = await hitRequest(cloud, 1 + Math.floor(random() * LAST_REQUEST), random() < 0.5, {
      ended: worker.ended,
      // The worker that has done a job takes the next one.
      whileWaiting: async () => (await isOver()) && sendNext(),
    });
    if (hit === null) throw new Error(`A worker has ended by itself.\n${readLog(worker.home)}`);
    await worker.killGroup();
    cloud.fault = () => undefined;
    // As if the visibility timeout had passed. There may be none to return.
    await cloud.returnMessage().catch(() => undefined);
    const at = tally.get(hit.step) ?? { before: 0, after: 0 };
    at[hit.harm === 'cut' ? 'before' : 'after']++;
    tally.set(hit.step, at);
  }
  const last = startWorker(cloud, join(folder, 'last'));
  const status = await last.ended;
  const violations = status === 0 ? [] : [`the last worker ended with ${status}`];
  violations.push(...(await violationsOf(cloud, jobs, clip, folder)));
  const stored = await keys(cloud, 'state/');
  const batches = stored.filter((key) => key.includes('/rows/')).length;
  const segments = stored.filter((key) => key.includes('/segments/')).length;

  const minutes = ((Date.now() - startedAtMs) / 60_000).toFixed(1);
  const rows = STEPS.map(([name]) => name).concat('others');
  return {
    violations,
    lines: [
      '| at a request to | killed before it takes effect | after |',
      '| --- | --- | --- |',
      ...rows.map((name) => `| ${name} | ${tally.get(name)?.before ?? 0} | ${tally.get(name)?.after ?? 0} |`),
      `${kills} kills in ${jobs} jobs of ${FRAMES} frames, ${minutes} min, seed ${seed}; ` +
        `${segments} segments uploaded for ${batches} batches; ` +
        `violations: ${violations.length === 0 ? 'none' : violations.length}`,
    ],
  };
}

interface Hit {
  readonly step: string;
  readonly harm: Harm;
}

/** Waits for the request with that number, and cuts it or its answer. @returns null if the worker has ended before */
async function hitRequest(
  cloud: CloudStandIn,
  number: number,
  isAfter: boolean,
  { ended, whileWaiting }: { ended: Promise<unknown>; whileWaiting: () => Promise<unknown> },
): Promise<Hit | null> {
  const state: { hit: Hit | null; hasEnded: boolean } = { hit: null, hasEnded: false };
  let count = 0;
  let ownRequests = 0;
  void ended.then(() => (state.hasEnded = true));
  const lost = cloud.answersLost;
  cloud.fault = (method, url, action): Harm => {
    if (ownRequests > 0) return undefined;
    // Until it is killed, the worker would go on, and a message could be delivered to nobody, for two minutes.
    if (state.hit !== null) return 'cut';
    if (++count < number) return undefined;
    const request = `${method} ${url} ${action}`;
    // A message whose delivery gets lost would stay away for two minutes.
    const harm = isAfter && action !== 'ReceiveMessage' ? 'lose-answer' : 'cut';
    state.hit = { step: STEPS.find(([, pattern]) => pattern.test(request))?.[0] ?? 'others', harm };
    return harm;
  };
  const isHit = async (): Promise<boolean> => {
    if (state.hasEnded) return true;
    if (state.hit !== null) return state.hit.harm === 'cut' || cloud.answersLost > lost;
    ownRequests++;
    await whileWaiting();
    ownRequests--;
    return false;
  };
  await expect.poll(isHit, { timeout: 200_000, interval: 100 }).toBe(true);
  return state.hit;
}

/** Checks the promises: each job has one result, its frames, one end under one ID, and nothing is left or failed. */
async function violationsOf(
  cloud: CloudStandIn,
  jobs: number,
  clip: string,
  folder: string,
): Promise<string[]> {
  const violations: string[] = [];
  const home = makeHome(join(folder, 'undisturbed'), LANCZOS);
  run(['run', clip, '--home', home, '--skip-checks']);
  const expected = frameMd5(join(home, 'output/clip.mp4')).join();
  violations.push(...(await repeatedBatches(cloud)));
  const results = (await keys(cloud)).filter((key) => key.endsWith('/result.json'));
  if (results.length !== jobs) violations.push(`${results.length} results of ${jobs} jobs`);
  const events = (await cloud.receiveAll(cloud.resultUrl)).map(
    ({ body }) => JSON.parse(body) as { type: string; jobId: string; eventId?: string },
  );
  for (let job = 1; job <= jobs; job++) {
    const path = join(folder, 'output.mp4');
    writeFileSync(path, await bytesOf(cloud, `finished/${job}.mp4`));
    if (frameMd5(path).join() !== expected) violations.push(`other frames in job ${job}`);
    const ends = events.filter(({ type, jobId }) => type !== 'progress' && jobId === `job-${job}`);
    const ids = new Set(ends.map(({ type, eventId }) => `${type} ${eventId}`));
    if (ids.size !== 1 || ends[0]?.type !== 'completed')
      violations.push(`job ${job} ended as ${[...ids].join(', ') || 'nothing'}`);
  }
  const dead = await cloud.receiveAll(cloud.deadLetterUrl);
  violations.push(...dead.map(({ body }) => `in the dead-letter queue: ${body}`));
  const { visible, held } = await cloud.depth(cloud.queueUrl);
  if (visible + held > 0) violations.push(`${visible + held} messages are left`);
  return violations;
}

/** Batches that a worker has processed though an earlier one had stored their row. */
async function repeatedBatches(cloud: CloudStandIn): Promise<string[]> {
  const found: string[] = [];
  const stored = await keys(cloud, 'state/');
  for (const row of stored.filter((key) => key.includes('/rows/'))) {
    const { claim } = JSON.parse((await bytesOf(cloud, row)).toString()) as { claim: number };
    const segments = row.replace('/rows/', '/segments/').replace(/json$/, '');
    for (const key of stored.filter((each) => each.startsWith(segments)))
      if (Number(key.slice(segments.length).split('.')[0]) > claim)
        found.push(`${key} was made though claim ${claim} had stored the row`);
  }
  return found;
}
