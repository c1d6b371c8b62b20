import { EngineError } from '../../../domain/errors.ts';
import type { Device } from '../../../domain/recipe.ts';
import type { Engine, ModelOutput } from '../../../inference/engine.ts';
import { loadAnalyser, type ChosenModel } from '../../../inference/load-model.ts';
import type { Face } from '../detection/face.ts';
import { readSquare, squareOf } from './align-face.ts';

export interface EmbedderOptions {
  /** Gives the bytes of the ONNX file; called once, for the first face. */
  readonly readModel: () => Promise<Uint8Array>;
  readonly device: Device;
  /** In the order of preference. */
  readonly engines: readonly Engine[];
  /** Threads inside one operator; 0: as many as there are cores. */
  readonly threads: number;
}

/** Edge of the model's input in pixels. */
const EDGE = 150;
/** Numbers of an embedding. */
const LENGTH = 128;

/**
 * Says of a face who it is, in 128 numbers: those of one person are near each other (`distanceOf`). The model is loaded
 * for the first face. Once it cannot be loaded it is not tried again, and every face is rejected with the same reason.
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
   * @param face with the landmarks of a detector, which say how it is turned
   * @throws EngineError, or what `readModel` throws
   */
  async embed(pixels: Uint8Array, width: number, height: number, face: Face): Promise<Float32Array> {
    const square = squareOf(face);
    if (square === null)
      throw new EngineError('ENGINE_FAILED', 'The face has no eyes and mouth to align it by.');
    const { model } = await (this.#loading ??= this.#load());
    const data = readSquare(pixels, width, height, square, EDGE);
    return ofLength1(await model.run({ data, shape: [1, 3, EDGE, EDGE] }));
  }

  /** Whether the model has been asked for. */
  get isLoaded(): boolean {
    return this.#loading !== null;
  }

  /** May be called twice, and without a face before it. */
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
 * Two faces at this distance or below are one person's. Measured on 65 faces of three people with BlazeFace and YuNet: at
 * most 1.1 % of the pairs of different people are below it, and 6 to 9 % of the pairs of one person above, most of them with
 * a hand before the face. The nearest of several people's means was right for all 65.
 */
export const SAME_PERSON_DISTANCE = 0.32;

/** How far apart two embeddings are: 0 the same, 2 opposite. */
export function distanceOf(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)));
}

function ofLength1(outputs: readonly ModelOutput[]): Float32Array {
  const [output, another] = outputs;
  if (output?.data.length !== LENGTH || another !== undefined)
    throw new EngineError('ENGINE_FAILED', `the model does not give ${LENGTH} numbers for a face`);
  const length = Math.hypot(...output.data);
  if (!(length > 0)) throw new EngineError('ENGINE_FAILED', 'the model gives nothing for a face');
  return output.data.map((value) => value / length);
}
