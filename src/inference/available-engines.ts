import { createCpuEngine } from './cpu-engine.ts';
import { addonPath, createCudaEngine } from './cuda-engine.ts';
import type { Engine } from './engine.ts';
import { createOnnxEngine, installedProviders } from './onnx-engine.ts';

/**
 * The engines of this installation in the order of preference: our own CUDA kernels, TensorRT, CUDA, our own CPU
 * kernels, and onnxruntime on the CPU, which runs every model.
 */
export function availableEngines(): Engine[] {
  const ours = addonPath() !== null ? [createCudaEngine()] : [];
  const onnx = installedProviders().map(createOnnxEngine);
  return [...ours, ...onnx.slice(0, -1), createCpuEngine(), ...onnx.slice(-1)];
}
