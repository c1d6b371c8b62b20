import { EngineError } from '../../../domain/errors.ts';
import type { Device } from '../../../domain/recipe.ts';
import type { Engine, ModelOutput } from '../../../inference/engine.ts';
import { loadAnalyser, type ChosenModel } from '../../../inference/load-model.ts';
import type { Face } from '../detection/face.ts';
import { readSquare, squareOf } from './align-face.ts';

export interface EmbedderOptions {
  /** Reads the bytes of the ONNX file; called once, for the first face. */
  readonly readModel: () => Promise<Uint8Array>;
  readonly device: Device;
  /** Engines in the order of preference. */
  readonly engines: readonly Engine[];
  /** Threads of one operator; 0: one per core. */
  readonly threads: number;
}

/** Edge of the model's input in pixels. */
const EDGE = 150;
/** Length of an embedding. */
const LENGTH = 128;

/**
 * Computes face embeddings: vectors of 128 numbers that are close to each other (`distanceOf`) for the same person. The
 * model is loaded for the first face. If that fails, every call rejects with the same error.
 */
export class FaceEmbedder {
  readonly #options: EmbedderOptions;
  #loading: Promise<ChosenModel> | null = null;

  constructor(options: EmbedderOptions) {
    this.#options = options;
  }

  /**
   * The embedding of a face, a vector of length 1.
   *
   * @param pixels packed RGB of 8 bits
   * @param face a detected face, whose landmarks show how it is rotated
   * @throws EngineError, or what `readModel` throws
   */
  async embed(pixels: Uint8Array, width: number, height: number, face: Face): Promise<Float32Array> {
    const square = squareOf(face);
    if (square === null)
      throw new EngineError(
        'ENGINE_FAILED',
        'The face cannot be aligned: the detector returned no eye and mouth landmarks for it.',
      );
    const { model } = await (this.#loading ??= this.#load());
    const data = readSquare(pixels, width, height, square, EDGE);
    return ofLength1(await model.run({ data, shape: [1, 3, EDGE, EDGE] }));
  }

  /** Whether loading the model has begun. */
  get isLoaded(): boolean {
    return this.#loading !== null;
  }

  /** May be called twice, and before the model is loaded. */
  async dispose(): Promise<void> {
    const loaded = await this.#loading?.catch(() => null);
    await loaded?.model.dispose();
  }

  async #load(): Promise<ChosenModel> {
    const { readModel, device, engines, threads } = this.#options;
    return loadAnalyser(await readModel(), device, engines, { threads }, [1, 3, EDGE, EDGE], ofLength1);
  }
}

/**
 * Maximum distance of two faces of the same person. Measured on 65 faces of three people with BlazeFace and YuNet: at most
 * 1.1 % of the pairs of different people are below it, and 6 to 9 % of the pairs of the same person above, most of them with
 * a hand in front of the face. For all 65, the nearest gallery mean was that of the right person.
 */
export const SAME_PERSON_DISTANCE = 0.32;

/** Euclidean distance of two embeddings: 0 if they are equal, 2 if they are opposite. */
export function distanceOf(a: Float32Array, b: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return Math.sqrt(squares);
}

function ofLength1(outputs: readonly ModelOutput[]): Float32Array {
  const [output, another] = outputs;
  if (output?.data.length !== LENGTH || another !== undefined)
    throw new EngineError(
      'ENGINE_FAILED',
      `the output of the model is not an embedding of ${LENGTH} numbers`,
    );
  const length = Math.hypot(...output.data);
  if (!(length > 0)) throw new EngineError('ENGINE_FAILED', 'the model returned an embedding of zeros');
  return output.data.map((value) => value / length);
}
