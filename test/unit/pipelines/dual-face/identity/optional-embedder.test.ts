import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createOnnxEngine } from '../../../../../src/inference/onnx-engine.ts';
import { OptionalEmbedder } from '../../../../../src/pipelines/dual-face/identity/optional-embedder.ts';
import { temporaryFolder } from '../../../../helpers/temporary-folder.ts';

const FORMAT = { width: 64, height: 64, pixelFormat: 'rgb24' } as const;
const FRAME = { number: 7, pixels: Buffer.alloc(64 * 64 * 3) };
const FACE = { box: { x: 16, y: 16, width: 32, height: 32 }, score: 0.9, landmarks: [] };

test('after the model of an embedder has failed, nothing is compared, and that is known', async () => {
  const notices: string[] = [];
  const path = join(temporaryFolder(), 'removed.onnx');
  const embedder = new OptionalEmbedder(
    {
      ...{ model: null, enhancer: null, tile: null, threads: 1, engines: [createOnnxEngine('cpu')] },
      embedding: { name: 'faces', path, sha256: '', bytes: 1, licence: null, architecture: null, overlap: 0 },
      onInferred: () => undefined,
      onStepDown: (text) => notices.push(text),
    },
    'cpu',
  );
  expect(embedder.hasFailed).toBe(false);
  for (let i = 0; i < 2; i++) expect(await embedder.embed(FRAME, FORMAT, FACE)).toBeNull();
  expect(embedder.hasFailed).toBe(true);
  expect(notices).toEqual([
    expect.stringMatching(/^cannot compare faces: .*; from frame 7 on, people are identified/),
  ]);
});
