import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5 } from '../helpers/clips.ts';
import { engineWithRoomFor, failedWidths } from '../helpers/engine-with-room.ts';
import { inProcessWorker } from '../helpers/in-process-worker.ts';

const FRAMES = 8;
const CLIP = { frames: FRAMES, width: 640, height: 48 };

/* The engine runs out of memory above a number of pixels; two similar jobs run one after the other. Prints a table. */
test('an engine that runs out of memory loses no frame', async () => {
  const rows: string[][] = [];
  for (const pixels of [Infinity, 20_000, 15_000, 13_000, 9_000]) {
    const { home, addJob, runNextJob } = inProcessWorker();
    for (const name of ['first', 'second']) {
      const frames = name === 'first' ? FRAMES : FRAMES + 1;
      await addJob(`${name}.mp4`, { ...CLIP, frames });
      const { engine, runs } = engineWithRoomFor(pixels);
      const ended = await runNextJob(engine).catch((error: unknown) => String(error));
      const isDone = typeof ended !== 'string';
      const got = isDone ? frameMd5(join(home.output, `${name}.mp4`)).length : 0;
      const tile = isDone ? (ended.job?.plan?.tile ?? 'whole frames') : '-';
      rows.push([
        ...[String(pixels), name],
        failedWidths(runs).join(', ') || '-',
        String(runs.find(({ passed }) => passed)?.width ?? '-'),
        isDone ? `${frames - got} of ${frames}` : ended,
        String(tile),
      ]);
      if (!isDone) break;
      expect(got).toBe(frames);
    }
  }
  const header = [
    'memory for pixels',
    'job',
    'widths that failed',
    'width that worked',
    'frames lost',
    'tile in the plan',
  ];
  for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
});
