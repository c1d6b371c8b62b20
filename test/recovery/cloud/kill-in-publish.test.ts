import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { cloudStandIn, type Harm } from '../../helpers/cloud-stand-in.ts';
import { bytesOf, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** The requests that publish a result, in their order. */
const STEPS: Readonly<Record<string, (request: string, body: string) => boolean>> = {
  'the output': (request) => /^PUT .*\/output\//.test(request),
  'the result': (request) => /^PUT .*\/result\.json/.test(request),
  'the wished key': (request) => /^PUT .*\/finished\//.test(request),
  'the event': (request, body) => request.endsWith('SendMessage') && body.includes('completed'),
  'the mark of the delivery': (request) => /^PUT .*\/delivered\.json/.test(request),
  'the end of the message': (request) => request.endsWith('DeleteMessage'),
};

test(
  'workers that are killed before and after each step of publishing leave one result',
  { tags: ['slow'], timeout: 300_000 },
  async () => {
    const cloud = await cloudStandIn({ maxReceives: 100 });
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 12 }));
    await sendJob(cloud);
    const killed: string[] = [];
    for (const [name, isStep] of Object.entries(STEPS))
      for (const harm of ['cut', 'lose-answer'] as const) {
        // After its deletion, the message does not come back.
        if (harm === 'lose-answer' && name === 'the end of the message') continue;
        let reached = (): void => undefined;
        const isReached = new Promise<void>((resolve) => (reached = resolve));
        cloud.fault = (method, url, action, body): Harm => {
          if (!isStep(`${method} ${url}${action === '' ? '' : ` ${action}`}`, body)) return undefined;
          reached();
          return harm;
        };
        const worker = startWorker(cloud, join(folder, `${killed.length}`), { args: [] });
        const lost = cloud.answersLost;
        await Promise.race([isReached, worker.ended]);
        if (harm === 'lose-answer') await expect.poll(() => cloud.answersLost).toBeGreaterThan(lost);
        await worker.killGroup();
        cloud.fault = () => undefined;
        await cloud.returnMessage();
        killed.push(`${harm} ${name}`);
      }
    const last = startWorker(cloud, join(folder, 'last'));
    expect(await last.ended, readLog(last.home)).toBe(0);

    expect(killed).toHaveLength(11);
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
