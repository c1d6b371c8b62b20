import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  findModel,
  listModels,
  readModel,
  verifyModels,
} from '../../../../src/inference/models/find-model.ts';
import type { Manifest } from '../../../../src/inference/models/manifest.ts';
import type { OnnxModel } from '../../../../src/inference/models/onnx-model.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { changedModel, tinySrvgg } from '../../../helpers/tiny-models.ts';

const file = tinySrvgg();
const sha256 = createHash('sha256').update(file).digest('hex');

const manifest: Manifest = {
  models: [
    {
      name: 'tiny',
      description: 'For tests',
      licence: 'MIT',
      purpose: 'upscale',
      format: 'ncnn',
      scale: 4,
      architecture: 'srvgg',
      overlap: 2,
      sha256,
      bytes: file.length,
      sources: [{ kind: 'folder', files: ['tiny.param', 'tiny.bin'] }],
    },
  ],
};

/** Two folders, of which the first has no models. */
function folders(): [string, string] {
  const root = temporaryFolder();
  const paths: [string, string] = [join(root, 'home'), join(root, 'program')];
  for (const path of paths) mkdirSync(path);
  return paths;
}

test('a model is found in the first folder that has it, with the data of the manifest', async () => {
  const [home, program] = folders();
  writeFileSync(join(program, 'tiny.onnx'), file);
  const expected = {
    name: 'tiny',
    sha256,
    bytes: file.length,
    licence: 'MIT',
    architecture: 'srvgg',
    overlap: 2,
    scale: 4,
  };
  expect(await findModel('tiny', [home, program], manifest)).toEqual({
    ...expected,
    path: join(program, 'tiny.onnx'),
  });
  writeFileSync(join(home, 'tiny.onnx'), file);
  expect((await findModel('tiny', [home, program], manifest)).path).toBe(join(home, 'tiny.onnx'));
});

test('a model with a wrong checksum is rejected even if a later folder has a good one', async () => {
  const [home, program] = folders();
  const bad = Buffer.from(file);
  bad[1000] = (bad[1000] ?? 0) ^ 1;
  writeFileSync(join(home, 'tiny.onnx'), bad);
  writeFileSync(join(program, 'tiny.onnx'), file);
  const found = createHash('sha256').update(bad).digest('hex');
  const rejection = await findModel('tiny', [home, program], manifest).catch((error: unknown) => error);
  expect(rejection).toMatchObject({ code: 'MODEL_CHECKSUM' });
  expect(String(rejection)).toContain(join(home, 'tiny.onnx'));
  expect(String(rejection)).toContain(sha256);
  expect(String(rejection)).toContain(found);
  const [verified] = await verifyModels([home, program], manifest);
  expect(verified?.error?.code).toBe('MODEL_CHECKSUM');
});

test('missing and unknown models have different codes, and missing ones are listed', async () => {
  const [home, program] = folders();
  await expect(findModel('tiny', [home], manifest)).rejects.toMatchObject({ code: 'MODEL_MISSING' });
  await expect(findModel('huge', [home], manifest)).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  await expect(findModel(join(home, 'no.onnx'), [], manifest)).rejects.toMatchObject({
    code: 'MODEL_MISSING',
  });
  expect((await listModels([home], manifest)).map(({ path }) => path)).toEqual([null]);
  writeFileSync(join(program, 'tiny.onnx'), file);
  expect((await listModels([home, program], manifest))[0]?.path).toBe(join(program, 'tiny.onnx'));
  expect((await verifyModels([home, program], manifest))[0]?.error).toBeNull();
});

test('any ONNX file can be named by path', async () => {
  const path = join(temporaryFolder(), 'mine.onnx');
  writeFileSync(path, file);
  const found = await findModel(path, [], manifest);
  expect(found).toMatchObject({ name: 'mine', path, sha256, licence: null, architecture: null });
});

test('a model is found only for its purpose, and a detector may have a fixed size and several outputs', async () => {
  const [home] = folders();
  writeFileSync(join(home, 'tiny.onnx'), file);
  const rejection = await findModel('tiny', [home], manifest, 'face-detector').catch(String);
  expect(rejection).toContain('There is no face detector named "tiny"');
  const path = join(home, 'mine.onnx');
  const detector = changedModel(file, (model) =>
    withDims(withGraph(model, { output: [...model.graph.output, ...other(model)] }), [1, 3, 64, 48]),
  );
  writeFileSync(path, detector);
  expect(await findModel(path, [], manifest, 'face-detector')).toMatchObject({ name: 'mine', overlap: 32 });
  writeFileSync(path, changedModel(detector, withExternalWeights));
  await expect(findModel(path, [], manifest, 'face-detector')).rejects.toThrow('other files');
});

const changes: [string, (model: OnnxModel) => OnnxModel, string][] = [
  ['weights in another file', withExternalWeights, 'stores weights in other files'],
  ['weights in another file, in a sub-graph', withExternalWeightsBelow, 'stores weights in other files'],
  [
    'two inputs',
    (model) => withGraph(model, { input: [...model.graph.input, ...other(model)] }),
    'one input',
  ],
  [
    'two outputs',
    (model) => withGraph(model, { output: [...model.graph.output, ...other(model)] }),
    'one output',
  ],
  ['a fixed width', (model) => withDims(model, [1, 3, 0, 48]), 'has a fixed width only'],
  ['a fixed height', (model) => withDims(model, [1, 3, 64, 0]), 'has a fixed height only'],
  [
    'images with transparency',
    (model) => withDims(model, [1, 4, 0, 0]),
    'expects 4 channels instead of 3 or 1',
  ],
  ['several at once', (model) => withDims(model, [4, 3, 0, 0]), 'accepts only batches of 4 images'],
  ['five dimensions', (model) => withDims(model, [1, 3, 0, 0, 0]), '5 dimensions'],
  ['double precision', (model) => withDims(model, [1, 3, 0, 0], 11), 'float64'],
];

test.each(changes)('an unsuitable file is rejected: %s', async (_, change, sentence) => {
  const path = join(temporaryFolder(), 'mine.onnx');
  writeFileSync(path, changedModel(file, change));
  const rejection = await findModel(path, [], manifest).catch((error: unknown) => error);
  expect(rejection).toMatchObject({ code: 'MODEL_UNSUITABLE' });
  expect(String(rejection)).toContain(sentence);
});

test.each([
  ['text', Buffer.from('this is not a model')],
  ['nothing', Buffer.alloc(0)],
  ['half a file', file.subarray(0, file.length / 2)],
])('a file that is no model is rejected: %s', async (_, bytes) => {
  const path = join(temporaryFolder(), 'mine.onnx');
  writeFileSync(path, bytes);
  await expect(findModel(path, [], manifest)).rejects.toMatchObject({ code: 'MODEL_UNREADABLE' });
});

function withGraph(model: OnnxModel, change: Partial<OnnxModel['graph']>): OnnxModel {
  return { ...model, graph: { ...model.graph, ...change } };
}

function other(model: OnnxModel): OnnxModel['graph']['input'] {
  return model.graph.input.map((value) => ({ ...value, name: 'features' }));
}

function withDims(model: OnnxModel, dims: number[], elemType = 1): OnnxModel {
  const dim = dims.map((size, index) => (size === 0 ? { dimParam: `free${index}` } : { dimValue: size }));
  return withGraph(model, { input: [{ name: 'input', type: { tensorType: { elemType, shape: { dim } } } }] });
}

function withExternalWeights(model: OnnxModel): OnnxModel {
  const [tensor, ...more] = model.graph.initializer;
  if (tensor === undefined) throw new Error('the test model has no weights');
  return withGraph(model, {
    initializer: [{ ...tensor, rawData: Buffer.alloc(0), dataLocation: 1 }, ...more],
  });
}

function withExternalWeightsBelow(model: OnnxModel): OnnxModel {
  const graph = withExternalWeights(model).graph;
  const node = {
    opType: 'If',
    input: [],
    output: [],
    attribute: [{ name: 'then_branch', type: 5, g: graph }],
  };
  return withGraph(model, { node: [...model.graph.node, node] });
}

test('an engine gets the bytes that were checked, or an error if the file was changed since', async () => {
  const [, program] = folders();
  const path = join(program, 'tiny.onnx');
  writeFileSync(path, file);
  const found = await findModel('tiny', [program], manifest);
  expect(await readModel(found)).toEqual(Buffer.from(file));
  writeFileSync(path, Buffer.concat([file, Buffer.from([0])]));
  await expect(readModel(found)).rejects.toMatchObject({
    code: 'MODEL_CHECKSUM',
    message: `The model file ${path} was changed while the job was starting.`,
  });
});
