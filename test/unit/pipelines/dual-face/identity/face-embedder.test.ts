import { expect, test } from 'vitest';
import { EngineError } from '../../../../../src/domain/errors.ts';
import type { Engine, Tensor } from '../../../../../src/inference/engine.ts';
import type { Face } from '../../../../../src/pipelines/dual-face/detection/face.ts';
import { distanceOf, FaceEmbedder } from '../../../../../src/pipelines/dual-face/identity/face-embedder.ts';

const FACE: Face = {
  box: { x: 10, y: 10, width: 40, height: 40 },
  score: 1,
  landmarks: [20, 40, 30, 24, 36].map((x, i) => ({ x, y: [20, 20, 30, 40, 40][i] ?? 0 })),
};
const FRAME = new Uint8Array(64 * 64 * 3).map((_, i) => (i * 7) % 251);

/** A model that returns the first pixels of its input. */
function engineOf(length: number, seen: Tensor[]): Engine {
  return {
    name: 'test',
    device: 'cpu',
    load: () =>
      Promise.resolve({
        run(input) {
          seen.push(input);
          const data = input.data.slice(0, length);
          return Promise.resolve([{ name: 'output', data, shape: [1, length, 1, 1] }]);
        },
        dispose: () => Promise.resolve(),
      }),
  };
}

function embedderWith(engine: Engine, readModel: () => Promise<Uint8Array>): FaceEmbedder {
  return new FaceEmbedder({ readModel, device: 'cpu', engines: [engine], threads: 1 });
}

test('the model is loaded for the first face, once, and embeddings have length 1', async () => {
  let reads = 0;
  const seen: Tensor[] = [];
  const embedder = embedderWith(engineOf(128, seen), () => Promise.resolve(new Uint8Array(++reads)));
  expect({ reads, isLoaded: embedder.isLoaded }).toEqual({ reads: 0, isLoaded: false });
  const [first, second] = await Promise.all([
    embedder.embed(FRAME, 64, 64, FACE),
    embedder.embed(FRAME, 64, 64, FACE),
  ]);
  expect({ reads, isLoaded: embedder.isLoaded }).toEqual({ reads: 1, isLoaded: true });
  expect(Math.hypot(...first)).toBeCloseTo(1, 6);
  expect(distanceOf(first, second)).toBe(0);
  expect(
    distanceOf(
      first,
      first.map((value) => -value),
    ),
  ).toBeCloseTo(2, 6);
  expect(seen.at(-1)?.shape).toEqual([1, 3, 150, 150]);
  await embedder.dispose();
  await embedder.dispose();
});

test('a model that cannot be loaded is not loaded again, and each call rejects with the reason', async () => {
  let reads = 0;
  const embedder = embedderWith(engineOf(128, []), () => {
    reads++;
    return Promise.reject(new EngineError('ENGINE_FAILED', 'the disk is gone'));
  });
  for (let i = 0; i < 3; i++)
    await expect(embedder.embed(FRAME, 64, 64, FACE)).rejects.toThrow('the disk is gone');
  expect(reads).toBe(1);
  await embedder.dispose();
});

test('a model with other outputs is rejected, and a face without landmarks does not load the model', async () => {
  const wrong = embedderWith(engineOf(64, []), () => Promise.resolve(new Uint8Array()));
  await expect(wrong.embed(FRAME, 64, 64, FACE)).rejects.toThrow('not an embedding of 128 numbers');
  const idle = embedderWith(engineOf(128, []), () => Promise.resolve(new Uint8Array()));
  await expect(idle.embed(FRAME, 64, 64, { ...FACE, landmarks: [] })).rejects.toThrow(
    'no eye and mouth landmarks',
  );
  expect(idle.isLoaded).toBe(false);
});
