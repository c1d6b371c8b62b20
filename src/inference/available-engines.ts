import { createCpuEngine } from './cpu-engine.ts';
import { addonPath, createCudaEngine } from './cuda-engine.ts';
import type { Engine } from './engine.ts';
import { createOnnxEngine, hasWebGpu, installedProviders } from './onnx-engine.ts';
import { createWebGpuEngine } from './webgpu/webgpu-engine.ts';

/**
 * The engines of this installation in the order of preference: our own CUDA kernels, TensorRT, CUDA, WebGPU,
 * our own CPU kernels, and onnxruntime on the CPU, which runs every model.
 */
export function availableEngines(): Engine[] {
  const ours = addonPath() !== null ? [createCudaEngine()] : [];
  const onnx = installedProviders().map(createOnnxEngine);
  const webGpu = hasWebGpu() ? [createWebGpuEngine()] : [];
  return [...ours, ...onnx.slice(0, -1), ...webGpu, createCpuEngine(), ...onnx.slice(-1)];
}
