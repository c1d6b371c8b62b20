import type { OnnxGraph } from '../models/onnx-model.ts';
import { unsupported } from './unsupported.ts';
import type { Layer, Value } from './layer.ts';
import type { PlanActivation, PlanStep } from './plan-format.ts';

type Step = PlanStep<string>;

/** Steps in the order of execution, over named values. Sums, scalings and activations are taken into earlier steps. */
export class StepList {
  readonly #steps: Step[] = [];
  readonly #values = new Map<string, Value>();
  readonly #concatenations = new Map<string, readonly string[]>();
  /** How often the graph reads a value, its outputs counted in. */
  readonly #reads = new Map<string, number>();

  constructor(graph: OnnxGraph, input: string) {
    // Asking for a shape is no reading.
    const readers = graph.node.filter(({ opType }) => opType !== 'Shape');
    const read = [...readers.flatMap((node) => node.input), ...graph.output.map(({ name }) => name)];
    for (const name of read) this.#reads.set(name, (this.#reads.get(name) ?? 0) + 1);
    this.#values.set(input, { channels: 3, area: 1 });
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Concatenated values and what they consist of, themselves never concatenations. */
  get concatenations(): ReadonlyMap<string, readonly string[]> {
    return this.#concatenations;
  }

  value(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw unsupported(`the tensor ${name}, which is not an image`);
    return value;
  }

  push(input: string, output: string, { channels, area, step }: Layer): void {
    this.#values.set(output, { channels, area });
    this.#steps.push({ ...PLAIN, ...step, input, output });
  }

  concatenate(inputs: readonly string[], output: string): void {
    const members = inputs.flatMap((name) => this.#concatenations.get(name) ?? [name]);
    const values = members.map((name) => this.value(name));
    const channels = values.reduce((sum, each) => sum + each.channels, 0);
    this.#values.set(output, { channels, area: values[0]?.area ?? 0 });
    this.#concatenations.set(output, members);
  }

  activate(input: string, output: string, activation: PlanActivation): void {
    const index = this.#fusable(input);
    const step = this.#steps[index];
    if (step === undefined || step.activation.kind !== 'none') {
      this.#add(input, output, { activation });
      return;
    }
    const actLast = step.residuals.length > 0 || step.scale !== 1;
    this.#replace(index, output, { ...step, activation, actLast });
  }

  multiply(input: string, output: string, factor: number): void {
    const index = this.#fusable(input);
    const step = this.#steps[index];
    if (step === undefined || step.actLast) {
      this.#add(input, output, { scale: factor });
      return;
    }
    this.#replace(index, output, {
      ...step,
      scale: step.scale * factor,
      scales: step.scales.map((scale) => scale * factor),
    });
  }

  sum(left: string, right: string, output: string): void {
    if (this.#sumOfShuffled(left, right, output) || this.#sumOfShuffled(right, left, output)) return;
    if (this.#sumInto(left, right, output) || this.#sumInto(right, left, output)) return;
    this.#add(left, output, { residuals: [right], scales: [1] });
  }

  /** Depth to space plus the upscaled input: SRVGG's end is one step. */
  #sumOfShuffled(shuffled: string, upscaled: string, output: string): boolean {
    const index = this.#fusable(shuffled, ['depthToSpace']);
    const base = this.#fusable(upscaled, ['resizeNearest']);
    const step = this.#steps[index];
    const resize = this.#steps[base];
    if (step === undefined || resize === undefined || step.residuals.length > 0) return false;
    if (resize.factor !== step.factor) return false;
    if (!this.#isThereBefore(resize.input, index)) return false;
    this.#replace(index, output, { ...step, residuals: [resize.input], scales: [1] });
    this.#steps.splice(base, 1);
    return true;
  }

  /** Whether `other` could be added by the step that makes `name`. */
  #sumInto(name: string, other: string, output: string): boolean {
    const index = this.#fusable(name);
    const step = this.#steps[index];
    if (step === undefined || step.actLast || step.residuals.length > 1) return false;
    if (!this.#isThereBefore(other, index) || this.value(other).channels > this.value(name).channels)
      return false;
    this.#replace(index, output, {
      ...step,
      residuals: [...step.residuals, other],
      scales: [...step.scales, 1],
    });
    return true;
  }

  #add(input: string, output: string, epilogue: Partial<Step>): void {
    this.#values.set(output, this.value(input));
    this.#steps.push({ ...PLAIN, op: 'add', input, output, ...epilogue });
  }

  /** The step that makes `name`, if nobody but the next operator reads it; -1: it cannot be changed any more. */
  #fusable(name: string, ops: readonly Step['op'][] = ['conv', 'add']): number {
    if (this.#reads.get(name) !== 1) return -1;
    return this.#steps.findIndex((step) => step.output === name && ops.includes(step.op));
  }

  #isThereBefore(name: string, index: number): boolean {
    return (this.#concatenations.get(name) ?? [name]).every((part) => {
      const maker = this.#steps.findIndex((step) => step.output === part);
      return maker < index && this.#values.has(part);
    });
  }

  #replace(index: number, output: string, step: Step): void {
    this.#values.set(output, this.value(step.output));
    this.#steps[index] = { ...step, output };
  }
}

const PLAIN = {
  residuals: [],
  scale: 1,
  scales: [],
  activation: { kind: 'none' },
  actLast: false,
} as const satisfies Partial<Step>;
