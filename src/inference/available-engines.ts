import { createCudaEngine, isAddonBuilt } from './cuda-engine.ts';
import type { Engine } from './engine.ts';
import { createOnnxEngine, installedProviders } from './onnx-engine.ts';

/** The engines of this installation in the order of preference: our own CUDA kernels, TensorRT, CUDA, CPU. */
export function availableEngines(): Engine[] {
  const ours = isAddonBuilt() ? [createCudaEngine()] : [];
  return [...ours, ...installedProviders().map(createOnnxEngine)];
}
