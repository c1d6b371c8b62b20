import type { PlanStep } from './plan-format.ts';

export interface Value {
  readonly channels: number;
  /** Pixels for each pixel of the model's input. */
  readonly area: number;
}

/** One operator as a step without epilogue, and what becomes of the image. */
export interface Layer {
  readonly channels: number;
  /** Pixels of the result for each pixel of the model's input. */
  readonly area: number;
  readonly step: Pick<PlanStep, 'op' | 'window' | 'groups' | 'weights' | 'bias' | 'factor'>;
}
