import type { OnnxGraphBuilder } from './onnx-graph-builder.ts';

/** What the program of a published model does around it: its convolutions do not pad, so the image must be larger. */
export interface ModelFrame {
  readonly scale: number;
  /** Pixels that are added at each edge. */
  readonly padding: number;
  /** Width and height must be multiples of this, because parts of the model work at half or a quarter of the resolution. */
  readonly multiple: number;
  /** Whether the model returns only what is to be added to the image, enlarged with nearest-neighbour scaling. */
  readonly addsInput: boolean;
}

interface FramedGraph {
  /** Names of the image that the model reads, and of the one that it returns. */
  readonly input: string;
  readonly output: string;
  /** Adds what follows the model. */
  readonly close: () => void;
}

/**
 * Adds padding before a model and cropping after it, as part of the graph, so that it takes images of any size. Padding
 * mirrors the image. What is smaller than its padding is first enlarged by repeating its last row and column.
 */
export function addFrame(graph: OnnxGraphBuilder, frame: ModelFrame | null): FramedGraph {
  if (frame === null) return { input: 'input', output: 'output', close: () => undefined };
  const { scale, padding, multiple, addsInput } = frame;
  graph.node('Shape', ['input'], 'input_shape');
  const sizeAt = [graph.integers('frame.first', [2]), graph.integers('frame.end', [4])];
  graph.node('Slice', ['input_shape', ...sizeAt], 'input_size');
  graph.node('Max', ['input_size', graph.integers('frame.least', [padding + multiple])], 'large_size');
  graph.node('Sub', ['large_size', 'input_size'], 'repeated');
  graph.node('Concat', [graph.integers('frame.none', [0, 0, 0, 0, 0, 0]), 'repeated'], 'repeats', {
    axis: 0,
  });
  graph.node('Pad', ['input', 'repeats'], 'large', { mode: 'edge' });

  graph.node('Neg', ['large_size'], 'negative_size');
  graph.node('Mod', ['negative_size', graph.integers('frame.multiple', [multiple])], 'missing');
  graph.node('Add', ['missing', graph.integers('frame.padding', [padding])], 'padding_after');
  const before = graph.integers('frame.before', [0, 0, padding, padding, 0, 0]);
  graph.node('Concat', [before, 'padding_after'], 'padding', { axis: 0 });
  graph.node('Pad', ['large', 'padding'], 'padded', { mode: 'reflect' });
  const close = (): void => {
    const cropped = addsInput ? 'cropped' : 'output';
    graph.node('Mul', ['input_size', graph.integers('frame.scale', [scale])], 'output_size');
    const from = graph.integers('frame.origin', [0, 0]);
    graph.node('Slice', ['uncropped', from, 'output_size', graph.integers('frame.axes', [2, 3])], cropped);
    if (!addsInput) return;
    const scales = graph.constant('frame.scales', [4], Float32Array.of(1, 1, scale, scale));
    graph.node('Resize', ['input', '', scales], 'enlarged', {
      coordinate_transformation_mode: 'asymmetric',
      mode: 'nearest',
      nearest_mode: 'floor',
    });
    graph.node('Add', [cropped, 'enlarged'], 'output');
  };
  return { input: 'padded', output: 'uncropped', close };
}
