import type { PlanStep } from './plan-format.ts';

export interface Value {
  readonly channels: number;
  /** Pixels per pixel of the model's input. */
  readonly area: number;
}

/** An operator as a plan step without epilogue, and the size of its result. */
export interface Layer {
  readonly channels: number;
  /** Pixels of the result per pixel of the model's input. */
  readonly area: number;
  readonly step: Pick<PlanStep, 'op' | 'window' | 'groups' | 'weights' | 'bias' | 'factor'>;
}
