import type { Plan } from './plan-format.ts';

const BYTES_PER_HALF = 2;

/**
 * Memory that the CUDA engine needs for each pixel of the image that a model sees: all slots of its workspace in half
 * precision (`Model::WorkspaceBytes` of native-cuda/engine/model.cu).
 */
export function workspaceBytesPerPixel(plan: Plan): number {
  const slots = new Map<number, number>();
  areasOf(plan).forEach((area, number) => {
    const tensor = plan.tensors[number];
    if (tensor === undefined || number === fusedTail(plan)) return;
    slots.set(tensor.slot, Math.max(slots.get(tensor.slot) ?? 0, area * tensor.pitch));
  });
  return [...slots.values()].reduce((sum, elements) => sum + elements, 0) * BYTES_PER_HALF;
}

/** Pixels of each tensor for each pixel of the input. */
function areasOf({ tensors, steps, outputs }: Plan): number[] {
  const areas: number[] = tensors.map(() => 0);
  /** Of the tensor that was written to each slot last. */
  const written = new Map<number, number>();
  const slotOf = (tensor: number): number => tensors[tensor]?.slot ?? 0;
  // No step writes a concatenation as a whole; its parts are written to its slot.
  const read = (tensor: number): number => (areas[tensor] ||= written.get(slotOf(tensor)) ?? 0);
  const write = (tensor: number, area: number): void => {
    areas[tensor] = area;
    written.set(slotOf(tensor), area);
  };
  write(0, 1);
  for (const { op, input, output, residuals, window, factor = 1 } of steps) {
    residuals.forEach(read);
    const grows = op === 'resizeNearest' || op === 'resizeBilinear' || op === 'depthToSpace';
    const [vertical, horizontal] = window?.strides ?? [1, 1];
    write(output, (read(input) * (grows ? factor ** 2 : 1)) / (vertical * horizontal));
  }
  for (const { tensor } of outputs) read(tensor);
  return areas;
}

/** The image that is written straight to the frame instead of the workspace; null if there is none. */
function fusedTail({ tensors, steps, outputs }: Plan): number | null {
  const last = steps.at(-1);
  const [output] = outputs;
  if (outputs.length !== 1 || output?.layout !== 'image' || last?.op !== 'depthToSpace') return null;
  const isImage = tensors[0]?.channels === 3 && tensors[output.tensor]?.channels === 3;
  return isImage && last.output === output.tensor ? output.tensor : null;
}
