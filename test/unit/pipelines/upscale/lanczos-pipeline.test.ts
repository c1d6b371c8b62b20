import { expect, test } from 'vitest';
import { StoppedError } from '../../../../src/domain/errors.ts';
import { frameBytes } from '../../../../src/domain/media-info.ts';
import { createPipeline } from '../../../../src/pipelines/create-pipeline.ts';
import { describePipeline } from '../../../../src/pipelines/describe-pipeline.ts';
import { framesOf, sourceOf } from '../../../helpers/upscale-source.ts';

const needs = {
  model: null,
  embedding: null,
  tile: null,
  threads: 1,
  engines: [],
  onInferred: () => expect.fail('nothing is inferred'),
  onStepDown: () => expect.fail('no engine is used'),
};
const recipe = { pipeline: 'upscale', model: 'lanczos', scale: 1.5, device: 'auto', tile: 'auto' } as const;

test('lanczos needs no model and returns frames of the described size', async () => {
  const pipeline = createPipeline(recipe, needs);
  const source = sourceOf(9, 6);
  const { input, output } = describePipeline(recipe, source).formats;
  expect([input.width, input.height, output.width, output.height]).toEqual([9, 6, 14, 10]);
  await pipeline.open(source);
  const flat = Buffer.alloc(9 * 6 * 3, 33);
  const numbers: number[] = [];
  for await (const { number, pixels } of pipeline.process(
    framesOf(flat, flat),
    null,
    new AbortController().signal,
  )) {
    numbers.push(number);
    expect(pixels.equals(Buffer.alloc(14 * 10 * 3, 33))).toBe(true);
  }
  expect(numbers).toEqual([0, 1]);
  await pipeline.close();
});

test('frames that the decoder has resized pass unchanged', async () => {
  const source = sourceOf(9, 6);
  const { input, output } = describePipeline(recipe, source, 'yuv420p').formats;
  expect(input).toEqual({ width: 14, height: 10, pixelFormat: 'yuv420p' });
  expect(output).toEqual(input);
  const pipeline = createPipeline(recipe, { ...needs, decodedTo: 'yuv420p' });
  await pipeline.open(source);
  const pixels = Buffer.from(Array.from({ length: frameBytes(input) }, (_, i) => i));
  const { signal } = new AbortController();
  for await (const frame of pipeline.process(framesOf(pixels), null, signal))
    expect(frame.pixels.equals(pixels)).toBe(true);
  await pipeline.close();
});

test('lanczos stops when its signal is aborted', async () => {
  const pipeline = createPipeline(recipe, needs);
  await pipeline.open(sourceOf(2, 2));
  const frames = pipeline.process(
    framesOf(Buffer.alloc(12)),
    null,
    AbortSignal.abort(new StoppedError('Paused.')),
  );
  await expect(frames[Symbol.asyncIterator]().next()).rejects.toThrow(StoppedError);
});

test('a missing model is reported before anything is opened', () => {
  expect(() => createPipeline({ ...recipe, model: 'tiny' }, needs)).toThrow('The model tiny was not found.');
});
