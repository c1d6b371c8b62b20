import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test(
  'a bucket that has no room for a moment, or is overloaded, costs time only',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 30 }));
    await sendJob(cloud);
    const left = { 'no-quota': 1, 'no-storage': 1, 'slow-down': 2 };
    cloud.fault = (method, url) => {
      if (method !== 'PUT') return undefined;
      if (url.includes('/segments/') && left['no-quota']-- > 0) return 'no-quota';
      if (url.includes('/rows/') && left['no-storage']-- > 0) return 'no-storage';
      if (url.includes('/output/') && left['slow-down']-- > 0) return 'slow-down';
      return undefined;
    };
    const worker = startWorker(cloud, join(folder, 'home'));
    expect(await worker.ended, readLog(worker.home)).toBe(0);
    expect(Math.max(...Object.values(left))).toBeLessThanOrEqual(0);
    expect(readLog(worker.home)).toContain(
      'The bucket has no room (QuotaExceeded); delete objects, or raise its limit.',
    );
    const found = await keys(cloud);
    expect(found).toContain(OUTPUT);
    expect(found.filter((key) => /claims\/\d+\.json$/.test(key))).toHaveLength(1);
    expect(await cloud.receiveAll(cloud.deadLetterUrl)).toEqual([]);
  },
);
