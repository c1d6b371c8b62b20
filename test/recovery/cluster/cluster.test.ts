import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { BUCKET, cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { keys } from '../../helpers/cloud-worker.ts';
import { startCluster, undisturbed } from '../../helpers/cluster.ts';
import { filesBelow, makeHome, readLog, start, tracedFrames } from '../../helpers/framekiln.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';
import { tinySrvgg } from '../../helpers/tiny-models.ts';

/* One video over several processes with homes of their own, over a real PostgreSQL and a shared folder or a bucket. */

const missing = whyNoPostgres();
const SLOW = { tags: ['slow'], timeout: 300_000 };

const name = missing === null ? 'a cluster' : `a cluster (skipped: ${missing})`;
const FRAMES = 22;

describe.skipIf(missing !== null)(name, () => {
  it('makes the frames that one machine would make', SLOW, async () => {
    const { home, alone, store, startWorker, coordinate } = await startCluster();
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const worker = startWorker('one');
    expect(await coordinate(clip).ended, readLog(home)).toBe(0);
    expect(readLog(home)).toContain('6 batches given to the cluster');
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed({ alone }, clip));
    expect(filesBelow(store)).toEqual(['cluster.json']);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(130);
    expect(filesBelow(join(worker.home, '.framekiln/cluster'))).toEqual([]);
  });

  it('is joined with a token, and runs a model with a bucket as its store', SLOW, async () => {
    const cloud = await cloudStandIn();
    const { environment } = cloud;
    const cluster = await startCluster(`s3://${BUCKET}`, environment);
    const { root, home, alone, coordinate } = cluster;
    const model = join(root, 'tiny.onnx');
    writeFileSync(model, tinySrvgg());
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const trace = join(root, 'trace');
    const joined = makeHome(join(root, 'joined'));
    // The stand-in for S3 lives in this process, so commands that need it must not block it.
    const token = start(['cluster', 'token', '--home', home], environment, 'pipe');
    let printed = '';
    token.child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text));
    expect(await token.ended).toBe(0);
    const commands = printed
      .trim()
      .split('\n')
      .map((line) => line.replace(/^framekiln /, '').split(' '));
    expect(commands).toHaveLength(2);
    const [joining = [], working = []] = commands;
    expect(await start([...joining, '--home', joined], environment).ended).toBe(0);
    start([...working, '--home', joined], { ...environment, FRAMEKILN_TRACE: trace });

    expect(await coordinate(clip, model).ended, readLog(home)).toBe(0);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed({ alone }, clip, model));
    // None is inferred twice; frames that show the same as the one before are not inferred at all.
    const inferred = tracedFrames(trace);
    expect(inferred.length).toBeGreaterThan(FRAMES / 2);
    expect(new Set(inferred).size).toBe(inferred.length);
    expect(await keys(cloud)).toEqual(['cluster.json']);
  });
});
