import { readModel } from '../../../inference/models/find-model.ts';
import { toError } from '../../../domain/errors.ts';
import type { FrameFormat } from '../../../domain/media-info.ts';
import type { Device } from '../../../domain/recipe.ts';
import { asBytes } from '../../components.ts';
import type { Frame } from '../../frame-pipeline.ts';
import type { PipelineNeeds } from '../../pipeline-needs.ts';
import type { Face } from '../detection/face.ts';
import { FaceEmbedder } from './face-embedder.ts';
import { withoutFullStop } from '../../../lib/without-full-stop.ts';

/** Computes face embeddings while that is possible; after a failure, or without a model, all of them are null. */
export class OptionalEmbedder {
  readonly #onStepDown: PipelineNeeds['onStepDown'];
  #embedder: FaceEmbedder | null;
  #hasFailed = false;

  constructor({ embedding, engines, threads, onStepDown }: PipelineNeeds, device: Device) {
    this.#onStepDown = onStepDown;
    this.#embedder =
      embedding === null
        ? null
        : new FaceEmbedder({ device, engines, threads, readModel: () => readModel(embedding) });
  }

  /** Whether the model has failed since it was opened. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  async embed({ number, pixels }: Frame, format: FrameFormat, face: Face): Promise<Float32Array | null> {
    if (this.#embedder === null) return null;
    try {
      return await this.#embedder.embed(asBytes(pixels, format), format.width, format.height, face);
    } catch (error) {
      this.#hasFailed = true;
      this.#onStepDown(
        `cannot compare faces: ${withoutFullStop(toError(error).message)}; from frame ${number} on, people are identified by position and size only`,
      );
      await this.dispose();
      return null;
    }
  }

  async dispose(): Promise<void> {
    const embedder = this.#embedder;
    this.#embedder = null;
    await embedder?.dispose();
  }
}
