import type { OnnxGraph } from '../models/onnx-model.ts';
import { unsupported } from './unsupported.ts';
import type { Layer, Value } from './layer.ts';
import type { PlanActivation, PlanStep } from './plan-format.ts';

type Step = PlanStep<string>;

/** Steps over named values in the order of execution. Sums, scalings and activations are fused into earlier steps. */
export class StepList {
  readonly #steps: Step[] = [];
  readonly #values = new Map<string, Value>();
  readonly #concatenations = new Map<string, readonly string[]>();
  /** Number of reads of each value by the graph; an output of the graph counts as a read. */
  readonly #reads = new Map<string, number>();

  constructor(graph: OnnxGraph, input: string) {
    // A Shape node does not read the value itself.
    const readers = graph.node.filter(({ opType }) => opType !== 'Shape');
    const read = [...readers.flatMap((node) => node.input), ...graph.output.map(({ name }) => name)];
    for (const name of read) this.#reads.set(name, (this.#reads.get(name) ?? 0) + 1);
    this.#values.set(input, { channels: 3, area: 1 });
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** The members of each concatenated value; no member is a concatenation itself. */
  get concatenations(): ReadonlyMap<string, readonly string[]> {
    return this.#concatenations;
  }

  value(name: string): Value {
    const value = this.#values.get(name);
    if (value === undefined) throw unsupported(`a value named ${name}, which no supported node computes`);
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

  /** Fuses depth to space and the addition of the resized input, the end of SRVGG models, into one step. */
  #sumOfShuffled(shuffled: string, upscaled: string, output: string): boolean {
    const index = this.#fusable(shuffled, ['depthToSpace']);
    const base = this.#fusable(upscaled, ['resizeNearest']);
    const step = this.#steps[index];
    const resize = this.#steps[base];
    if (step === undefined || resize === undefined || step.residuals.length > 0) return false;
    if (resize.factor !== step.factor) return false;
    if (!this.#isComputedBefore(resize.input, index)) return false;
    this.#replace(index, output, { ...step, residuals: [resize.input], scales: [1] });
    this.#steps.splice(base, 1);
    return true;
  }

  /** Fuses the addition of `other` into the step that computes `name`; returns whether that was possible. */
  #sumInto(name: string, other: string, output: string): boolean {
    const index = this.#fusable(name);
    const step = this.#steps[index];
    if (step === undefined || step.actLast || step.residuals.length > 1) return false;
    if (!this.#isComputedBefore(other, index) || this.value(other).channels > this.value(name).channels)
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

  /** Index of the step that computes `name`, if only the next operator reads it; otherwise -1. */
  #fusable(name: string, ops: readonly Step['op'][] = ['conv', 'add']): number {
    if (this.#reads.get(name) !== 1) return -1;
    return this.#steps.findIndex((step) => step.output === name && ops.includes(step.op));
  }

  #isComputedBefore(name: string, index: number): boolean {
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
