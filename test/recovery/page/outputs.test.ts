import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';

it(
  'a finished file that is gone, and a model that is a file, are named in the answer',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const daemon = await DaemonWithPage.start();
    makeClip(join(daemon.home, 'input/lanczos-2x/clip.mp4'), { frames: 5 });
    const get = (path: string) => daemon.ask('GET', path);
    await vi.waitFor(async () => expect((await get('/api/jobs/1/output')).status).toBe(200), {
      timeout: 90_000,
      interval: 200,
    });
    const output = join(daemon.home, 'output/lanczos-2x/clip.mp4');
    const gone = [404, expect.stringContaining(`${output} is missing; it was moved or deleted`)];
    const answer = ({ status, text }: { status: number; text: string }) => [status, text];
    rmSync(output);
    expect(answer(await get('/api/jobs/1/output'))).toEqual(gone);
    mkdirSync(output);
    expect(answer(await get('/api/jobs/1/output'))).toEqual(gone);
    expect((await get('/api/jobs/2/output')).status).toBe(404);

    for (const model of ['/etc/passwd', 'x.onnx'])
      expect(answer(await daemon.change('/api/jobs/1/again', { changes: { model } }))).toEqual([
        400,
        expect.stringContaining('Expected the name of a model, not a path'),
      ]);
  },
);
