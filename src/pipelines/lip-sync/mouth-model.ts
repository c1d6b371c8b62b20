import { EngineError, ModelError, toError } from '../../domain/errors.ts';
import type { Device } from '../../domain/recipe.ts';
import type { ModelOutput, Tensor } from '../../inference/engine.ts';
import { loadAnalyser, whyNotOnGpu, type ChosenModel } from '../../inference/load-model.ts';
import { readModel } from '../../inference/models/find-model.ts';
import { decodeModel } from '../../inference/models/onnx-model.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { measure } from '../../observability/measurements.ts';
import type { ModelPipelineNeeds } from '../pipeline-needs.ts';
import { FACE_EDGE, PACKED_CHANNELS, readWav2Lip, type Wav2LipFile } from './wav2lip-layout.ts';

const PLANE = FACE_EDGE * FACE_EDGE;

/** A face that the model has drawn: 96x96 pixels in planes of blue, green and red, 0..1. */
export type DrawnFace = Float32Array;

/** Draws faces that say what the speech says; if the engine fails, it repeats the run on the CPU and stays there. */
export class MouthModel {
  readonly #needs: ModelPipelineNeeds;
  readonly #device: Device;
  readonly #file: Wav2LipFile;
  #chosen: ChosenModel;

  private constructor(needs: ModelPipelineNeeds, device: Device, file: Wav2LipFile, chosen: ChosenModel) {
    this.#needs = needs;
    this.#device = device;
    this.#file = file;
    this.#chosen = chosen;
  }

  /** @throws ModelError MODEL_UNSUITABLE if it is no model of a known layout */
  static async load(needs: ModelPipelineNeeds, device: Device): Promise<MouthModel> {
    const { model } = needs;
    const file = readWav2Lip(decodeModel(await readModel(model), model.name), model.name);
    return new MouthModel(needs, device, file, await choose(needs, device, file));
  }

  get summary(): string {
    const { engine, reason } = this.#chosen;
    return `Wav2Lip layout with ${engine.name}${reason === null ? '' : ` (${reason})`}`;
  }

  /**
   * Draws faces.
   *
   * @param inputs packed as in Wav2LipFile, of which as many are run at once as `atOnce` says and the model allows
   */
  async draw(inputs: readonly Float32Array[], atOnce: number): Promise<DrawnFace[]> {
    const most = this.#file.batch ?? atOnce;
    const drawn: DrawnFace[] = [];
    for (let from = 0; from < inputs.length; from += most) {
      const some = inputs.slice(from, from + most);
      const count = this.#file.batch ?? some.length;
      const data = new Float32Array(count * PACKED_CHANNELS * PLANE);
      some.forEach((input, i) => data.set(input, i * PACKED_CHANNELS * PLANE));
      const [output] = await this.#run({ data, shape: [count, PACKED_CHANNELS, FACE_EDGE, FACE_EDGE] });
      for (let i = 0; i < some.length; i++)
        drawn.push((output?.data ?? new Float32Array(0)).slice(i * 3 * PLANE, (i + 1) * 3 * PLANE));
      this.#needs.onTile?.();
    }
    return drawn;
  }

  async #run(tensor: Tensor): Promise<readonly ModelOutput[]> {
    try {
      return await this.#chosen.model.run(tensor);
    } catch (error) {
      const mayStepDown = this.#device !== 'cpu' && this.#device !== 'gpu-only';
      if (!(error instanceof EngineError) || !mayStepDown) throw error;
      measure({ kind: 'fallback', of: 'engine' });
      this.#needs.onStepDown(`${withoutFullStop(toError(error).message)}; lip-sync continues on the CPU`);
      await this.#chosen.model.dispose();
      this.#chosen = await choose(this.#needs, 'cpu', this.#file);
      return this.#chosen.model.run(tensor);
    }
  }

  dispose(): Promise<void> {
    return this.#chosen.model.dispose();
  }
}

async function choose(
  { engines, threads, model, onStepDown }: ModelPipelineNeeds,
  device: Device,
  { onnx, batch }: Wav2LipFile,
): Promise<ChosenModel> {
  const shape: Tensor['shape'] = [batch ?? 1, PACKED_CHANNELS, FACE_EDGE, FACE_EDGE];
  const chosen = await loadAnalyser(onnx, device, engines, { threads }, shape, ([output, ...others]) => {
    const found = output?.shape.join('x') ?? 'none';
    if (others.length > 0 || found !== `${shape[0]}x3x${FACE_EDGE}x${FACE_EDGE}`)
      throw new ModelError(
        'MODEL_UNSUITABLE',
        `${model.name} is not a lip-sync model of the Wav2Lip layout: its output is ${found} instead of Nx3x96x96.`,
      );
  });
  const warning = whyNotOnGpu(device, chosen);
  if (warning !== null) onStepDown(warning);
  return chosen;
}
