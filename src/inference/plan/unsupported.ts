import { EngineError } from '../../domain/errors.ts';
import type { OnnxNode } from '../models/onnx-model.ts';

/** What a plan has no step for; the next engine may. */
export function unsupported(what: string, node?: OnnxNode): EngineError {
  const where = node === undefined ? '' : ` (node ${node.name ?? node.output[0] ?? '?'})`;
  return new EngineError('ENGINE_UNAVAILABLE', `the CUDA engine does not support ${what}${where}`);
}
