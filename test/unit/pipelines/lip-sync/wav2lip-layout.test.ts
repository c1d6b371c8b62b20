import { expect, test } from 'vitest';
import { decodeModel } from '../../../../src/inference/models/onnx-model.ts';
import { readWav2Lip } from '../../../../src/pipelines/lip-sync/wav2lip-layout.ts';
import { talkingModel } from '../../../helpers/lip-sync.ts';
import { tinySrvgg } from '../../../helpers/tiny-models.ts';

test('a model of the layout gets one input', () => {
  const { onnx, batch } = readWav2Lip(decodeModel(talkingModel(), 'it'), 'it');
  expect(batch).toBeNull();
  const { graph } = decodeModel(onnx, 'it');
  expect(graph.input.map(({ type }) => type?.tensorType?.shape?.dim?.map((dim) => dim.dimValue))).toEqual([
    [undefined, 7, 96, 96],
  ]);
  expect(readWav2Lip(decodeModel(talkingModel(2), 'it'), 'it').batch).toBe(2);
});

test('another model is rejected with what was found', () => {
  expect(() => readWav2Lip(decodeModel(tinySrvgg(), 'it'), 'tiny')).toThrow(
    'tiny is not a lip-sync model of the Wav2Lip layout: it has the inputs input [batch, 3, height, width] instead of [N, 1, 80, 16] and [N, 6, 96, 96].',
  );
});
