import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OnnxGraphBuilder } from '../../src/inference/models/onnx-graph-builder.ts';
import { encodeModel } from '../../src/inference/models/onnx-model.ts';
import { makeHome, run } from '../helpers/framekiln.ts';
import { windowAttention, withInput } from '../helpers/model-layouts.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { changedModel, repeatingModel, tinySrvgg } from '../helpers/tiny-models.ts';

function check(file: Uint8Array, ...options: string[]) {
  const folder = temporaryFolder();
  const path = join(folder, 'mine.onnx');
  writeFileSync(path, file);
  return { path, ...run(['models', 'check', path, ...options, '--home', makeHome(join(folder, 'home'))]) };
}

/** A model that doubles an image and reverses the order of its colours, as one trained with OpenCV does. */
function bgrModel(): Uint8Array {
  const graph = new OnnxGraphBuilder();
  const kernel = Float32Array.from([0, 0, 1, 0, 1, 0, 1, 0, 0]);
  graph.node('Conv', ['input', graph.constant('w', [3, 3, 1, 1], kernel)], 'swapped', {
    kernel_shape: [1, 1],
  });
  const scales = graph.constant('scales', [4], Float32Array.of(1, 1, 2, 2));
  const nearest = { coordinate_transformation_mode: 'asymmetric', mode: 'nearest', nearest_mode: 'floor' };
  graph.node('Resize', ['swapped', '', scales], 'output', nearest);
  return encodeModel(graph.build('bgr'));
}

it('models check says what a file is, its scale and speed, and that it can be used', () => {
  const { status, stdout, path } = check(repeatingModel(3));
  const lines = stdout.split('\n');
  expect([status, lines[0], lines[3]]).toEqual([0, `file: ${path}`, 'scale: 3']);
  expect(lines[1]).toMatch(/^content: 0\.0 MB, 0\.00 million parameters, opset \d+, written by /);
  expect(lines[2]).toMatch(/^layout: float32 \[\S+, 3, \S+, \S+\] to float32 \[.*\]$/);
  expect(lines[4]).toBe('sizes: any');
  expect(lines[5]).toMatch(
    /^speed: [\d.]+ fps at 640x480, [\d.]+ fps at 1280x720, [\d.]+ fps at 1920x1080 \(/,
  );
  expect(lines[6]).toBe(`can be used: --model ${path}`);
});

it('models check names the sizes that a model takes, to which frames are padded', () => {
  const { status, stdout } = check(encodeModel(windowAttention(2, 16)));
  expect([status, stdout.split('\n')[4]]).toEqual([
    0,
    'sizes: multiples of 16 pixels; other frames are padded or divided',
  ]);
});

it('models check names what hinders a model, and exits with 1', () => {
  const bgr = check(bgrModel());
  expect([bgr.status, bgr.stdout]).toEqual([
    1,
    expect.stringMatching(
      /cannot be used: The model swaps red and blue \(the colour 200, 110, 40 became 40, 110, 200\)/,
    ),
  ]);
  const batches = changedModel(tinySrvgg(), (model) => withInput(model, { dims: [8, 3, 0, 0] }));
  const { status, stdout } = check(batches, '--json');
  expect([status, JSON.parse(stdout)]).toEqual([
    1,
    expect.objectContaining({
      ...{ trial: null, knownAs: null },
      faults: [expect.stringMatching(/mine\.onnx cannot be used: it accepts only batches of 8 images/)],
    }),
  ]);
});
