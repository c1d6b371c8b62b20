import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { startCluster, undisturbed, workerLog } from '../../helpers/cluster.ts';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';
import { changedModel, tinySrvgg } from '../../helpers/tiny-models.ts';

/* Machines that cannot make the same frames as the daemon. */

const missing = whyNoPostgres();
const title = missing === null ? 'joining a cluster' : `joining a cluster (skipped: ${missing})`;
const SLOW = { tags: ['slow'], timeout: 300_000 };
const WAIT = { timeout: 120_000 };

describe.skipIf(missing !== null)(title, () => {
  it('is refused for another version, and batches are for another model', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, startWorker, coordinate } = cluster;
    const token = run(['cluster', 'token', '--home', home]).stdout.split(/\s+/)[3] ?? '';
    const found: unknown = JSON.parse(Buffer.from(token.slice(6), 'base64url').toString());
    const other = Buffer.from(JSON.stringify({ ...Object(found), version: '99.0.0' })).toString('base64url');
    const joined = run(['cluster', 'join', `kiln1.${other}`, '--home', makeHome(join(root, 'other'))]);
    expect(joined.status).not.toBe(0);
    expect(joined.stderr).toMatch(
      /The cluster has Framekiln 99\.0\.0 and this machine .*; install the same version on both/,
    );

    const model = join(root, 'tiny.onnx');
    writeFileSync(model, tinySrvgg());
    const clip = makeClip(join(home, 'clip.mp4'), { frames: 8 });
    const coordinator = coordinate(clip, model);
    await expect.poll(() => readLog(home), WAIT).toContain('given to the cluster');
    writeFileSync(
      model,
      changedModel(tinySrvgg(), (file) => ({ ...file, producerName: 'another' })),
    );
    const refusing = startWorker('refusing');
    const sentence =
      /the model .*tiny\.onnx on this machine differs from that of the coordinator; copy it from there/;
    await expect.poll(() => workerLog(refusing), WAIT).toMatch(sentence);
    const status = () => run(['cluster', 'status', '--home', home]).stdout;
    await expect.poll(status, WAIT).toMatch(sentence);
    writeFileSync(model, tinySrvgg());
    startWorker('taking');
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip, model));
  });
});
