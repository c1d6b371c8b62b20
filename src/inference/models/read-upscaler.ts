import type { ModelFile } from '../../domain/models.ts';
import { adaptImageModel } from './adapt-image-model.ts';
import { readModel } from './find-model.ts';
import { decodeModel, encodeModel } from './onnx-model.ts';

/**
 * Reads an upscaling model for an engine: as a file that takes and returns images of three colours in float32.
 *
 * @throws ModelError MODEL_CHECKSUM if the file was changed since it was found
 */
export async function readUpscaler(model: ModelFile): Promise<Uint8Array> {
  const bytes = await readModel(model);
  if (model.architecture !== null) return bytes;
  const found = decodeModel(bytes, model.path);
  const adapted = adaptImageModel(found, model.path);
  return adapted === found ? bytes : encodeModel(adapted);
}
