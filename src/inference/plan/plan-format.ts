import { endianness } from 'node:os';
import { floatToHalf } from './half.ts';

/**
 * A tensor of a model plan, whose format native-cuda/plan/plan.h defines. It consists of `channels` channels from `offset`
 * in a slot, in NHWC order with `pitch` channels per pixel. Plans contain no image sizes.
 */
export interface PlanTensor {
  readonly slot: number;
  readonly pitch: number;
  readonly offset: number;
  readonly channels: number;
}

export const PLAN_OP = {
  conv: 1,
  maxPool: 2,
  averagePool: 3,
  add: 4,
  resizeNearest: 5,
  resizeBilinear: 6,
  depthToSpace: 7,
} as const;
export type PlanOp = keyof typeof PLAN_OP;

const ACTIVATION = { none: 0, leakyRelu: 1, pRelu: 2, sigmoid: 3 } as const;

export type PlanActivation =
  | { readonly kind: 'none' }
  | { readonly kind: 'sigmoid' }
  /** Negative values are multiplied by the slope. */
  | { readonly kind: 'leakyRelu'; readonly slope: number }
  /** Like leakyRelu, with a slope per channel. */
  | { readonly kind: 'pRelu'; readonly slopes: Float32Array };

/** A sliding window over an image; in a pooling step, height 0 means the whole image. */
export interface PlanWindow {
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [vertical: number, horizontal: number];
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
}

/** y = act(op(x)) * scale + scales[i] * residuals[i]; with `actLast`, the activation applies to the whole sum. */
export interface PlanStep<Name = number> {
  readonly op: PlanOp;
  readonly input: Name;
  readonly output: Name;
  readonly residuals: readonly Name[];
  readonly scale: number;
  readonly scales: readonly number[];
  readonly activation: PlanActivation;
  readonly actLast: boolean;
  readonly window?: PlanWindow;
  readonly groups?: number;
  /** [output channels][kernel height][kernel width][input channels / groups] */
  readonly weights?: Float32Array;
  readonly bias?: Float32Array;
  /** Factor of resizing and depth to space. */
  readonly factor?: number;
}

export const OUTPUT_LAYOUT = { image: 0, rows: 1, vector: 2 } as const;

export interface PlanOutput<Name = number> {
  readonly name: string;
  readonly tensor: Name;
  readonly layout: keyof typeof OUTPUT_LAYOUT;
  /** Length of a row in the layout `rows`; otherwise 0. */
  readonly columns: number;
}

export interface Plan {
  /** The first tensor is the model's input. */
  readonly tensors: readonly PlanTensor[];
  readonly steps: readonly PlanStep[];
  readonly outputs: readonly PlanOutput[];
}

export type WeightType = 'float32' | 'float16';

const MAGIC = 0x4c504b46; // "FKPL"
const VERSION = 1;
const NONE = 0xffffffff;
const WEIGHT_TYPE = { float32: 1, float16: 2 } as const;

/** The bytes of a plan file. */
export function encodePlan(plan: Plan, weightType: WeightType): Uint8Array {
  if (endianness() !== 'LE')
    throw new TypeError('Model plans can only be written on little-endian machines.');
  const weights = new WeightList();
  const steps = plan.steps.flatMap((step) => encodeStep(step, weights));
  const head = [
    ...[MAGIC, VERSION, WEIGHT_TYPE[weightType]],
    ...[plan.tensors.length, plan.steps.length, plan.outputs.length, weights.length],
    ...plan.tensors.flatMap(({ slot, pitch, offset, channels }) => [slot, pitch, offset, channels]),
    ...steps,
    ...plan.outputs.flatMap(({ tensor, layout, columns }) => [tensor, OUTPUT_LAYOUT[layout], columns]),
  ];
  const numbers = weights.toArray(weightType);
  return Buffer.concat([
    Buffer.from(Uint32Array.from(head).buffer),
    Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  ]);
}

function encodeStep(step: PlanStep, weights: WeightList): number[] {
  const { activation, window } = step;
  return [
    PLAN_OP[step.op],
    step.input,
    step.output,
    step.residuals[0] ?? NONE,
    step.residuals[1] ?? NONE,
    floatBits(step.scale),
    floatBits(step.scales[0] ?? 1),
    floatBits(step.scales[1] ?? 1),
    ACTIVATION[activation.kind],
    floatBits(activation.kind === 'leakyRelu' ? activation.slope : 0),
    step.actLast ? 1 : 0,
    ...(window?.kernel ?? [0, 0]),
    ...(window?.strides ?? [0, 0]),
    ...(window?.pads ?? [0, 0, 0, 0]),
    step.groups ?? 0,
    weights.append(step.weights),
    weights.append(step.bias),
    weights.append(activation.kind === 'pRelu' ? activation.slopes : undefined),
    step.factor ?? 0,
  ];
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

class WeightList {
  readonly #parts: Float32Array[] = [];
  length = 0;

  /** Appends values and returns their offset; NONE if there are none. */
  append(values: Float32Array | undefined): number {
    if (values === undefined) return NONE;
    const offset = this.length;
    this.#parts.push(values);
    this.length += values.length;
    return offset;
  }

  toArray(type: WeightType): Float32Array | Uint16Array {
    const all = type === 'float32' ? new Float32Array(this.length) : new Uint16Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(type === 'float32' ? part : Uint16Array.from(part, floatToHalf), at);
      at += part.length;
    }
    return all;
  }
}
