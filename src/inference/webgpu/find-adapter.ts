import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { mayUseSoftwareAdapters, vulkanEnvironment } from '../../config/environment.ts';
import { runCaptured } from '../../lib/process/captured-process.ts';
import { findAddon } from '../find-addon.ts';
import { OnnxGraphBuilder } from '../models/onnx-graph-builder.ts';
import { encodeModel } from '../models/onnx-model.ts';

/** A GPU that Vulkan offers; `software`: a program that computes on the CPU. */
export interface VulkanAdapter {
  readonly name: string;
  readonly kind: 'discrete' | 'integrated' | 'virtual' | 'software' | 'other';
}

/** The GPU that WebGPU uses, or why there is none, as a clause. */
export type FoundAdapter =
  | { readonly adapter: VulkanAdapter; readonly reason: null }
  | {
      readonly adapter: null;
      readonly reason: string;
      /** Whether a driver would help: Vulkan itself or every driver of a GPU is missing. */
      readonly isDriverMissing: boolean;
    };

/** What native-cpu/addon/addon.cc reports. */
interface VulkanReport {
  readonly adapters: readonly VulkanAdapter[];
  readonly reason: string | null;
}

export interface AdapterOptions {
  /** Path of the CPU addon, which lists the adapters. */
  readonly addon?: string | null;
  /** Whether software adapters count as well. */
  readonly withSoftware?: boolean;
  /** Path of onnxruntime's module. */
  readonly onnxruntime?: string;
  readonly timeoutMs?: number;
}

/** A driver compiles its first shaders in this time. */
const TIMEOUT_MS = 30_000;

/** The order in which Dawn, the WebGPU of onnxruntime, prefers adapters. */
const PREFERENCE = ['discrete', 'integrated', 'virtual', 'other', 'software'] as const;

/**
 * Finds the GPU that WebGPU uses, and runs a tiny model on it. Both happen in a process of its own, because a broken Vulkan
 * driver may hang or crash. Never rejects.
 */
export async function findAdapter({
  addon = findAddon('cpu'),
  withSoftware = mayUseSoftwareAdapters(),
  onnxruntime = createRequire(import.meta.url).resolve('onnxruntime-node'),
  timeoutMs = TIMEOUT_MS,
}: AdapterOptions = {}): Promise<FoundAdapter> {
  if (addon === null) return none('the CPU addon, which detects Vulkan GPUs, is not installed');
  const { vulkan, error, outcome } = await ask({ addon, onnxruntime, withSoftware }, timeoutMs);
  if (outcome === 'timeout') return none('the Vulkan driver does not respond');
  if (vulkan === null) return none(`the Vulkan drivers cannot be queried: ${error ?? 'the process crashed'}`);
  const [adapter] = usable(vulkan.adapters, withSoftware);
  if (adapter === undefined) return none(vulkan.reason ?? whyNone(vulkan.adapters), true);
  if (error !== null) return none(`the ${adapter.name} cannot run a model: ${error}`);
  return { adapter, reason: null };
}

function none(reason: string, isDriverMissing = false): FoundAdapter {
  return { adapter: null, reason, isDriverMissing };
}

/** The adapters that may be used, the preferred one first. */
function usable(adapters: readonly VulkanAdapter[], withSoftware: boolean): VulkanAdapter[] {
  return adapters
    .filter(({ kind }) => withSoftware || kind !== 'software')
    .toSorted((a, b) => PREFERENCE.indexOf(a.kind) - PREFERENCE.indexOf(b.kind));
}

function whyNone(adapters: readonly VulkanAdapter[]): string {
  return `Vulkan offers only software renderers (${adapters.map(({ name }) => name).join(', ')})`;
}

interface Answer {
  readonly vulkan: VulkanReport | null;
  /** Why the tiny model did not run; null if it did, or if there is no GPU to run it on. */
  readonly error: string | null;
  readonly outcome: 'ended' | 'timeout';
}

async function ask(
  what: Required<Pick<AdapterOptions, 'addon' | 'onnxruntime' | 'withSoftware'>>,
  timeoutMs: number,
): Promise<Answer> {
  const input = { ...what, model: Buffer.from(tinyModel()).toString('base64') };
  const command = [process.execPath, '--input-type=module', '--eval', PROGRAM, JSON.stringify(input)];
  // As in config/no-telemetry.ts.
  const env = { ...vulkanEnvironment(), ORT_DISABLE_TELEMETRY: '1' };
  const options = { env, cwd: tmpdir(), timeoutMs };
  const { outcome, exitCode, stdout, stderr } = await runCaptured(command, options);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  const [vulkan, end] = lines.map((line) => JSON.parse(line) as unknown);
  const crash = stderr.split('\n').find((line) => line.includes('Error: ')) ?? describeCrash(exitCode);
  return {
    vulkan: (vulkan as VulkanReport | undefined) ?? null,
    error: end === undefined ? crash : (end as { error: string | null }).error,
    outcome: outcome === 'timeout' ? 'timeout' : 'ended',
  };
}

function describeCrash(exitCode: number | null): string {
  return exitCode === null ? 'the driver crashed' : `exit code ${exitCode}`;
}

/** Prints the adapters and then, if one of them may be used, whether a model runs. */
const PROGRAM = `
  import { createRequire } from 'node:module';
  const { addon, onnxruntime, model, withSoftware } = JSON.parse(process.argv[1]);
  const require = createRequire(${JSON.stringify(pathToFileURL(import.meta.filename).href)});
  const vulkan = require(addon).vulkanAdapters();
  console.log(JSON.stringify(vulkan));
  let error = null;
  if (vulkan.adapters.some(({ kind }) => withSoftware || kind !== 'software')) {
    const { InferenceSession, Tensor } = require(onnxruntime);
    try {
      const options = { executionProviders: ['webgpu'], logSeverityLevel: 3 };
      const session = await InferenceSession.create(Buffer.from(model, 'base64'), options);
      await session.run({ input: new Tensor('float32', new Float32Array(3 * 64), [1, 3, 8, 8]) });
      await session.release();
    } catch (caught) {
      // The condition that was false comes first; its file and function tell users nothing.
      error = String(caught?.message ?? caught).split(' was false. ').at(-1).split('\\n')[0];
    }
  }
  console.log(JSON.stringify({ error }));
`;

/** A convolution and a rearrangement, so that shaders are compiled. */
function tinyModel(): Uint8Array {
  const graph = new OnnxGraphBuilder();
  const kernel = graph.constant('kernel', [12, 3, 3, 3], new Float32Array(12 * 27).fill(0.1));
  graph.node('Conv', ['input', kernel], 'features', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  graph.node('DepthToSpace', ['features'], 'output', { blocksize: 2, mode: 'CRD' });
  return encodeModel(graph.build('tiny'));
}
