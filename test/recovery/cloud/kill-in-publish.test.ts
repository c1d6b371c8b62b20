import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { cloudStandIn, type Harm } from '../../helpers/cloud-stand-in.ts';
import { bytesOf, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/**
 * The requests that publish a result, in their order, and where the worker is killed: before the first one takes effect, and after
 * each one, which is before the next one. The last one is the end of the message.
 */
const KILLS: readonly { name: string; harm: Harm; isIt: (request: string, body: string) => boolean }[] = [
  { name: 'before the output', harm: 'cut', isIt: (request) => /^PUT .*\/output\//.test(request) },
  { name: 'after the output', harm: 'lose-answer', isIt: (request) => /^PUT .*\/output\//.test(request) },
  { name: 'after the result', harm: 'lose-answer', isIt: (request) => /^PUT .*\/result\.json/.test(request) },
  { name: 'after the copy', harm: 'lose-answer', isIt: (request) => /^PUT .*\/finished\//.test(request) },
  {
    name: 'after the event',
    harm: 'lose-answer',
    isIt: (request, body) => request.endsWith('SendMessage') && body.includes('completed'),
  },
  {
    name: 'after the mark of the delivery',
    harm: 'lose-answer',
    isIt: (request) => /^PUT .*\/delivered\.json/.test(request),
  },
];

test(
  'workers that are killed at each step of publishing leave one result',
  { tags: ['slow'], timeout: 300_000 },
  async () => {
    const cloud = await cloudStandIn({ maxReceives: 100 });
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 12 }));
    await sendJob(cloud);
    for (const { name, harm, isIt } of KILLS) {
      let reached = (): void => undefined;
      const isReached = new Promise<void>((resolve) => (reached = resolve));
      cloud.fault = (method, url, action, body): Harm => {
        if (!isIt(`${method} ${url}${action === '' ? '' : ` ${action}`}`, body)) return undefined;
        reached();
        return harm;
      };
      const lost = cloud.answersLost;
      const worker = startWorker(cloud, join(folder, name), { args: [] });
      const status = await Promise.race([isReached, worker.ended]);
      expect(status, readLog(worker.home)).toBeUndefined();
      // Until it is killed, the worker repeats the request, which has to do no harm.
      if (harm === 'lose-answer') await expect.poll(() => cloud.answersLost).toBeGreaterThan(lost);
      await worker.killGroup();
      cloud.fault = () => undefined;
      await cloud.returnMessage();
    }
    const last = startWorker(cloud, join(folder, 'last'));
    expect(await last.ended, readLog(last.home)).toBe(0);

    const found = await keys(cloud);
    expect(found.filter((key) => key.endsWith('result.json'))).toHaveLength(1);
    const output = join(folder, 'output.mp4');
    writeFileSync(output, await bytesOf(cloud, OUTPUT));
    expect(frameMd5(output)).toHaveLength(12);
    const events = (await cloud.receiveAll(cloud.resultUrl)).map(({ body }) => body);
    const completed = events.filter((body) => body.includes('completed'));
    // Sent again by each worker that could not know whether it had been sent, and always the same.
    expect(new Set(completed).size).toBe(1);
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
    expect(await cloud.receiveAll(cloud.deadLetterUrl)).toEqual([]);
  },
);
