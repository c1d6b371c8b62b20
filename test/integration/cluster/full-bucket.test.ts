import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { S3Store } from '../../../src/cloud/object-store/s3-store.ts';
import { createClusterDatabase } from '../../../src/cluster/cluster-database.ts';
import { connect } from '../../../src/cluster/connect.ts';
import type { VideoSetup } from '../../../src/cluster/protocol.ts';
import { runTask } from '../../../src/cluster/worker/run-task.ts';
import { BUCKET, cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { startPostgres, whyNoPostgres } from '../../helpers/postgres.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const missing = whyNoPostgres();
const name = missing === null ? 'a full bucket' : `a full bucket (skipped: ${missing})`;

describe.skipIf(missing !== null)(name, () => {
  it.each(['no-quota', 'no-storage'] as const)('(%s) makes a worker wait, as a full folder', async (harm) => {
    const { url } = await startPostgres(onTestFinished);
    const connection = await connect(url, silentLogger);
    onTestFinished(() => connection.close());
    const database = createClusterDatabase(connection);
    const setup = { key: '1'.repeat(32), homeId: 'home', jobId: 1, name: 'clip.mp4' } as VideoSetup;
    await database.openVideo(setup);
    await database.addTasks(setup.key, [{ number: 0, firstFrame: 0, frameCount: 4 }]);
    const task = await database.takeTask(setup.key);
    if (task === null) throw new Error('No batch waits.');

    const cloud = await cloudStandIn();
    cloud.fault = (method) => (method === 'PUT' ? harm : undefined);
    const warnings: string[] = [];
    const warn = (sentence: string): void => {
      warnings.push(sentence);
      cloud.fault = () => undefined;
    };
    const path = join(temporaryFolder(), 'segment.mp4');
    writeFileSync(path, 'segment');
    const made = {
      path,
      segmentSha256: '0'.repeat(64),
      encoder: 'libx264',
      elapsedMs: 1,
      framesReused: null,
    };
    const end = await runTask(
      {
        ...{ database, store: new S3Store(cloud.s3, BUCKET), worker: 'w', log: { ...silentLogger, warn } },
        ...{ signal: new AbortController().signal, onUpscale: () => undefined },
      },
      { setup, make: () => Promise.resolve(made) },
      task,
    );
    expect(end).toBe('done');
    expect(warnings).toEqual([expect.stringContaining('the cluster store is full')]);
  });
});
