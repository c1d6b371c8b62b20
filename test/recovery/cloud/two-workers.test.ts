import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { cloudStandIn, type CloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { bytesOf, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test(
  'of two workers with the same message, the second one delivers, though the first one stores its result',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 12 }));
    await sendJob(cloud);
    // The first worker waits with its result until the second one has its own.
    const results: (() => void)[] = [];
    const arrived = (count: number) =>
      expect.poll(() => results.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(count);
    cloud.fault = async (method, url) => {
      if (method === 'PUT' && url.includes('/result.json'))
        await new Promise<void>((resolve) => results.push(resolve));
      return undefined;
    };
    const first = startWorker(cloud, join(folder, 'first'));
    await arrived(1);
    await cloud.returnMessage();
    const second = startWorker(cloud, join(folder, 'second'));
    await arrived(2);
    results[0]?.();
    await expect.poll(() => keys(cloud)).toContainEqual(expect.stringMatching(/result\.json$/));
    results[1]?.();
    expect(await second.ended, readLog(second.home)).toBe(0);
    expect(await first.ended, readLog(first.home)).toBe(0);

    expect(readLog(first.home)).toContain('Another worker has the job');
    expect((await keys(cloud)).filter((key) => key.endsWith('result.json'))).toHaveLength(1);
    expect(await completedEvents(cloud)).toHaveLength(1);
    const output = join(folder, 'output.mp4');
    writeFileSync(output, await bytesOf(cloud, OUTPUT));
    expect(frameMd5(output)).toHaveLength(12);
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
    expect(await cloud.receiveAll(cloud.deadLetterUrl)).toEqual([]);
  },
);

async function completedEvents(cloud: CloudStandIn): Promise<string[]> {
  const events = await cloud.receiveAll(cloud.resultUrl);
  return events.map(({ body }) => body).filter((body) => body.includes('completed'));
}
