import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Cli } from '../../../src/cli/cli.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { blindBlazeFace } from '../../helpers/tiny-models.ts';

/* Whole command lines with a model of the right layout that sees nothing. */
async function bench(folder: string, ...args: string[]): Promise<string[]> {
  const out: string[] = [];
  const cli: Cli = {
    print: (line) => void out.push(line),
    complain: (line) => void out.push(line),
    ...{ interactive: false, now: Date.now, exitCode: ExitCode.ok },
  };
  const model = join(folder, 'blind.onnx');
  writeFileSync(model, blindBlazeFace());
  const line = ['bench', 'detectors', ...args, '--model', model, '--device', 'cpu', '--home', folder];
  await createProgram(cli).parseAsync(line, { from: 'user' });
  return out;
}

/** One grey image, in which one face is said to be. */
async function labelsIn(folder: string): Promise<string> {
  const grey = { width: 300, height: 40, channels: 3, background: 'grey' } as const;
  await sharp({ create: grey }).png().toFile(join(folder, 'grey.png'));
  const path = join(folder, 'labels.json');
  const faces = [{ x: 10, y: 10, width: 20, height: 20 }];
  writeFileSync(path, JSON.stringify({ frames: [{ file: 'grey.png', faces }] }));
  return path;
}

test('a row for each way of looking, as a table or as JSON', { timeout: 30_000 }, async () => {
  const folder = temporaryFolder();
  const labels = await labelsIn(folder);
  const table = await bench(folder, labels);
  expect(table[0]).toMatch(/^DETECTOR +WINDOWS +RECALL +RECALL UNDER 5 % .* MS A FRAME$/);
  expect(table.slice(1, 4).map((row) => row.split(/ {2,}/).slice(0, 7))).toEqual(
    ['never', 'fewer than 2 seen', 'always'].map((windows) => [
      ...['blind', windows, '0.0 %', '-', '0.0 %', '-', '100.0 %'],
    ]),
  );
  expect(table[4]).toContain('1 frames with 1 faces');
  const rows = JSON.parse((await bench(folder, labels, '--json')).join('\n')) as object[];
  expect(rows[2]).toMatchObject({ model: 'blind', windows: 'always', frames: 1, recall: 0, precision: 1 });
  expect(rows[2]).toMatchObject({ engine: 'BlazeFace full-range with onnxruntime on the CPU' });
});

test('labels and images that cannot be read are named with the reason', async () => {
  const folder = temporaryFolder();
  const labels = await labelsIn(folder);
  await expect(bench(folder, join(folder, 'none.json'))).rejects.toThrow(
    /labels .*none\.json cannot be read/,
  );
  writeFileSync(labels, '{"frames":[{"file":"grey.png","faces":[{"x":1}]}]}');
  await expect(bench(folder, labels)).rejects.toThrow('frames.0.faces.0.y');
  writeFileSync(labels, '{"frames":[{"file":"gone.png","faces":[]}]}');
  await expect(bench(folder, labels)).rejects.toThrow(/image .*gone\.png cannot be read/);
  await expect(bench(folder, labels, '--device', 'tpu')).rejects.toThrow(CommanderError);
});
