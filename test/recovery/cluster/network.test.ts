import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import {
  committedBatches,
  startCluster,
  undisturbed,
  untilExists,
  workerLog,
} from '../../helpers/cluster.ts';
import { faultyFfmpeg } from '../../helpers/faulty-ffmpeg.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { movableClock } from '../../helpers/movable-clock.ts';
import { networkNamespace, whyNoNamespaces } from '../../helpers/network-namespace.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';
import { tcpLink } from '../../helpers/tcp-link.ts';

/* Workers in networks of their own, and workers whose clocks differ. */

const missing = whyNoPostgres();
const noNamespaces = missing ?? whyNoNamespaces();
const SLOW = { tags: ['slow'], timeout: 300_000 };
/** Eight batches of four frames. */
const FRAMES = 32;
const WAIT = { timeout: 120_000 };

const skipped = (reason: string | null): string => (reason === null ? '' : ` (skipped: ${reason})`);

describe.skipIf(noNamespaces !== null)(`workers in other networks${skipped(noNamespaces)}`, () => {
  it('lose nothing when the link of one is cut and comes back', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, postgres, sql, startWorker, coordinate, loseHeartbeats } = cluster;
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const [goOn, finish, hung] = [join(root, 'go-on'), join(root, 'finish'), join(root, 'hung')];
    const startIn = async (number: number, name: string, PATH: string) => {
      const network = networkNamespace(number);
      const { port } = await tcpLink({ port: Number(new URL(postgres.url).port) }, network.hostAddress);
      const url = postgres.url.replace(/@[^/]+/, `@${network.hostAddress}:${port}`);
      return { ...network, ...startWorker(name, { PATH }, { url, wrapper: network.wrapper }) };
    };
    const one = await startIn(0, 'one', faultyFfmpeg(hung, '/segments/b', untilExists(goOn)));
    const coordinator = coordinate(clip);
    await expect.poll(() => existsSync(join(hung, 'has-failed')), WAIT).toBe(true);
    one.cut();
    await loseHeartbeats();
    // The last batch keeps the video open.
    await startIn(1, 'two', faultyFfmpeg(join(root, 'open'), '/segments/b0007.', untilExists(finish)));
    // The batches of the first worker may come to the second one after that, and wait for its encoder.
    await expect.poll(() => committedBatches(home), WAIT).toBeGreaterThanOrEqual(FRAMES / 4 - 4);
    expect(workerLog(one)).not.toContain('its result is discarded');
    await sql("UPDATE framekiln_cluster.workers SET seen_at = now() - interval '1 hour'");
    one.mend();
    writeFileSync(goOn, '');
    await expect.poll(() => workerLog(one), WAIT).toContain('its result is discarded');
    const recent = "SELECT name FROM framekiln_cluster.workers WHERE seen_at > now() - interval '1 minute'";
    await expect.poll(() => sql(recent), WAIT).toContainEqual({ name: 'one' });
    writeFileSync(finish, '');
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
  });
});

describe.skipIf(missing !== null)(`workers whose clocks differ${skipped(missing)}`, () => {
  it('keep their batches, because the clock of the database decides', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, startWorker, coordinate } = cluster;
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const [goOn, hung] = [join(root, 'go-on'), join(root, 'hung')];
    const clock = (name: string, minutes: number): Record<string, string> => {
      const moved = movableClock(makeFolder(root, name));
      moved.set(minutes * 60_000);
      return moved.environment;
    };
    const PATH = faultyFfmpeg(hung, '/segments/b', untilExists(goOn));
    const ahead = startWorker('ahead', { PATH, ...clock('clock-ahead', 10) });
    const coordinator = coordinate(clip);
    await expect.poll(() => existsSync(join(hung, 'has-failed')), WAIT).toBe(true);
    const behind = startWorker('behind', clock('clock-behind', -10));
    // The batches that the first one holds stay with it, whatever the second takes the time for.
    await expect.poll(() => committedBatches(home), WAIT).toBeGreaterThanOrEqual(FRAMES / 4 - 3);
    writeFileSync(goOn, '');
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(workerLog(ahead)).toMatch(/batch 0 finished in/);
    expect(`${workerLog(ahead)}${workerLog(behind)}`).not.toMatch(/WARN|ERROR|discarded/);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
  });
});

function makeFolder(root: string, name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}
