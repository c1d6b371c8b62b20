import { readModel } from '../../../inference/models/find-model.ts';
import { EngineError, toError } from '../../../domain/errors.ts';
import type { FrameFormat } from '../../../domain/media-info.ts';
import type { Device } from '../../../domain/recipe.ts';
import { measure } from '../../../observability/measurements.ts';
import { asBytes } from '../../components.ts';
import type { Frame } from '../../frame-pipeline.ts';
import type { ModelPipelineNeeds } from '../../pipeline-needs.ts';
import { loadFaceDetector } from './face-detector.ts';
import type { Face, FaceDetector } from './face.ts';
import { withoutFullStop } from '../../../lib/without-full-stop.ts';

/** Detects the faces of a job's frames; if the engine fails, it repeats the frame on the CPU and stays there. */
export class FallbackDetector {
  readonly #needs: ModelPipelineNeeds;
  readonly #device: Device;
  #detector: FaceDetector;

  private constructor(needs: ModelPipelineNeeds, device: Device, detector: FaceDetector) {
    this.#needs = needs;
    this.#device = device;
    this.#detector = detector;
  }

  static async load(needs: ModelPipelineNeeds, device: Device): Promise<FallbackDetector> {
    return new FallbackDetector(needs, device, await loadDetector(needs, device));
  }

  get summary(): string {
    return this.#detector.summary;
  }

  /** @throws EngineError if the detector fails on the CPU, or on a GPU with the device `gpu-only` */
  async detect({ number, pixels }: Frame, format: FrameFormat): Promise<Face[]> {
    const { width, height } = format;
    const bytes = asBytes(pixels, format);
    this.#needs.onInferred(number);
    try {
      return await this.#detector.detect(bytes, width, height);
    } catch (error) {
      const mayStepDown = this.#device !== 'cpu' && this.#device !== 'gpu-only';
      if (!(error instanceof EngineError) || !mayStepDown) throw error;
      measure({ kind: 'fallback', of: 'engine' });
      this.#needs.onStepDown(
        `${withoutFullStop(toError(error).message)}; face detection continues on the CPU from frame ${number}`,
      );
      await this.#detector.dispose();
      this.#detector = await loadDetector(this.#needs, 'cpu');
      return this.#detector.detect(bytes, width, height);
    }
  }

  async dispose(): Promise<void> {
    await this.#detector.dispose();
  }
}

async function loadDetector(
  { model, engines, threads, onStepDown }: ModelPipelineNeeds,
  device: Device,
): Promise<FaceDetector> {
  return loadFaceDetector(await readModel(model), model.name, {
    ...{ device, engines, threads },
    onWarning: onStepDown,
  });
}
