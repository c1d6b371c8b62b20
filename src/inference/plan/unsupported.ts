import { EngineError } from '../../domain/errors.ts';
import type { OnnxNode } from '../models/onnx-model.ts';

/** The error for an operator that plans do not support; the next engine may support it. */
export function unsupported(what: string, node?: OnnxNode): EngineError {
  const where = node === undefined ? '' : ` (node ${node.name ?? node.output[0] ?? '?'})`;
  return new EngineError('ENGINE_UNAVAILABLE', `model plans do not support ${what}${where}`);
}
