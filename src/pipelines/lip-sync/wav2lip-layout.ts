import { ModelError } from '../../domain/errors.ts';
import { encodeModel, type OnnxModel, type OnnxValueInfo } from '../../inference/models/onnx-model.ts';
import { withSingleInput } from '../../inference/models/single-input.ts';

/** Edge of the face that the model sees and draws. */
export const FACE_EDGE = 96;
export const MEL_ROWS = 80;
/** Columns of the spectrogram that the model hears for a frame. */
export const MEL_COLUMNS = 16;
/** Channels of the packed input: the face with a hidden lower half, the whole face, and the speech. */
export const PACKED_CHANNELS = 7;

/** A model of the layout of Wav2Lip, with one input. */
export interface Wav2LipFile {
  /** An ONNX file whose only input is `[N, 7, 96, 96]`. */
  readonly onnx: Uint8Array;
  /** The only number of faces that a run takes; null: any. */
  readonly batch: number | null;
}

/**
 * Recognises a model of the layout of Wav2Lip by its inputs: speech `[N, 1, 80, 16]` and faces `[N, 6, 96, 96]`.
 *
 * @param what the model in errors
 * @throws ModelError MODEL_UNSUITABLE if it has other inputs
 */
export function readWav2Lip(model: OnnxModel, what: string): Wav2LipFile {
  const constants = new Set(model.graph.initializer.map(({ name }) => name));
  const inputs = model.graph.input.filter(({ name }) => !constants.has(name));
  const speech = inputs.find((input) => hasShape(input, [1, MEL_ROWS, MEL_COLUMNS]));
  const faces = inputs.find((input) => hasShape(input, [6, FACE_EDGE, FACE_EDGE]));
  if (inputs.length !== 2 || speech === undefined || faces === undefined) {
    const found = inputs.map((input) => `${input.name} [${lengthsOf(input).join(', ')}]`).join(' and ');
    throw new ModelError(
      'MODEL_UNSUITABLE',
      `${what} is not a lip-sync model of the Wav2Lip layout: it has the inputs ${found} instead of [N, 1, 80, 16] and [N, 6, 96, 96].`,
    );
  }
  const [first = 0] = lengthsOf(faces).map((length) => (typeof length === 'number' ? length : 0));
  const batch = first > 0 ? first : null;
  const parts = [
    { input: faces.name, channels: [0, 6], rows: FACE_EDGE, columns: FACE_EDGE },
    { input: speech.name, channels: [6, 7], rows: MEL_ROWS, columns: MEL_COLUMNS },
  ] as const;
  return {
    onnx: encodeModel(withSingleInput(model, parts, [batch, PACKED_CHANNELS, FACE_EDGE, FACE_EDGE])),
    batch,
  };
}

function lengthsOf({ type }: OnnxValueInfo): (number | string)[] {
  const dim = type?.tensorType?.shape?.dim ?? [];
  return dim.map(({ dimValue, dimParam }) => dimValue ?? dimParam ?? '?');
}

/** Whether the value has these lengths after the batch. */
function hasShape(value: OnnxValueInfo, lengths: readonly number[]): boolean {
  const [, ...found] = lengthsOf(value);
  return found.length === lengths.length && found.every((length, i) => length === lengths[i]);
}
