import { attributeOf, textOf } from '../models/onnx-attributes.ts';
import type { OnnxGraph, OnnxNode } from '../models/onnx-model.ts';
import { Constants } from './constants.ts';
import { convolution, depthToSpace, globalAveragePool, pooling, resizing, zeroPadding } from './layers.ts';
import { unsupported } from './unsupported.ts';
import type { Layer } from './layer.ts';
import type { PlanActivation, PlanOutput } from './plan-format.ts';
import { StepList } from './step-list.ts';

/** A model as steps over named values, before memory is assigned to them. */
export interface LoweredGraph {
  readonly input: string;
  readonly steps: StepList;
  readonly outputs: readonly PlanOutput<string>[];
}

/** An image that is read as rows of a fixed length, without a copy. */
interface Rows {
  readonly of: string;
  readonly columns: number;
}

/**
 * Turns the operators of an ONNX graph into the steps of a plan. Scalings, sums and activations are fused into the step
 * that computes their input if nothing else reads it; reshaping only changes the layout of the outputs.
 *
 * @throws EngineError ENGINE_UNAVAILABLE if plans do not support an operator; the message names it
 */
export function lowerGraph(graph: OnnxGraph): LoweredGraph {
  const constants = new Constants(graph);
  const [input, second] = graph.input.filter(({ name }) => !constants.has(name));
  if (input === undefined || second !== undefined)
    throw unsupported('models that do not have exactly one input');
  return new Lowering(graph, constants, input.name).lower();
}

class Lowering {
  readonly #graph: OnnxGraph;
  readonly #constants: Constants;
  readonly #input: string;
  readonly #steps: StepList;
  readonly #rows = new Map<string, Rows>();
  readonly #nhwc = new Map<string, string>();
  /** The original of each image that was padded with channels of zeros. */
  readonly #padded = new Map<string, string>();
  /** Values that only describe shapes. */
  readonly #shapes = new Set<string>();

  constructor(graph: OnnxGraph, constants: Constants, input: string) {
    this.#graph = graph;
    this.#constants = constants;
    this.#input = input;
    this.#steps = new StepList(graph, input);
  }

  lower(): LoweredGraph {
    for (const node of this.#graph.node) this.#lowerNode(node);
    return {
      input: this.#input,
      steps: this.#steps,
      outputs: this.#graph.output.map(({ name }) => this.#output(name)),
    };
  }

  #output(name: string): PlanOutput<string> {
    const rows = this.#rows.get(name);
    if (rows !== undefined) return { name, tensor: rows.of, layout: 'rows', columns: rows.columns };
    this.#steps.value(name);
    return { name, tensor: name, layout: 'image', columns: 0 };
  }

  #lowerNode(node: OnnxNode): void {
    const [first = '', second = ''] = node.input;
    const [output = ''] = node.output;
    if (node.opType !== 'Add' && node.input.some((name) => this.#padded.has(name)))
      throw unsupported(`${node.opType} of padded channels`, node);
    switch (node.opType) {
      case 'Conv': {
        this.#layer(first, output, convolution(node, this.#steps.value(first), this.#constants));
        return;
      }
      case 'MaxPool':
      case 'AveragePool': {
        this.#layer(first, output, pooling(node, this.#steps.value(first)));
        return;
      }
      case 'GlobalAveragePool': {
        this.#layer(first, output, globalAveragePool(this.#steps.value(first)));
        return;
      }
      case 'Resize': {
        this.#layer(first, output, resizing(node, this.#steps.value(first), this.#constants));
        return;
      }
      case 'DepthToSpace': {
        this.#layer(first, output, depthToSpace(node, this.#steps.value(first)));
        return;
      }
      case 'PRelu': {
        this.#activate(first, output, {
          kind: 'pRelu',
          slopes: this.#constants.channelFloats(node, second, this.#steps.value(first).channels),
        });
        return;
      }
      case 'LeakyRelu': {
        this.#activate(first, output, {
          kind: 'leakyRelu',
          slope: attributeOf(node, 'alpha')?.f ?? 0.01,
        });
        return;
      }
      case 'Relu': {
        this.#activate(first, output, { kind: 'leakyRelu', slope: 0 });
        return;
      }
      case 'Sigmoid': {
        this.#activate(first, output, { kind: 'sigmoid' });
        return;
      }
      case 'Add': {
        this.#sum(node);
        return;
      }
      case 'Mul': {
        this.#multiply(node);
        return;
      }
      case 'Pad': {
        this.#pad(node);
        return;
      }
      case 'Concat': {
        this.#concatenate(node);
        return;
      }
      case 'Transpose': {
        this.#transpose(node);
        return;
      }
      case 'Reshape': {
        this.#reshape(node);
        return;
      }
      case 'Shape':
      case 'Constant':
        this.#shapes.add(output);
        return;
      case 'Gather':
      case 'Unsqueeze':
        if (!this.#shapes.has(first)) throw unsupported(node.opType, node);
        this.#shapes.add(output);
        return;
      default:
        throw unsupported(node.opType, node);
    }
  }

  #layer(input: string, output: string, layer: Layer): void {
    this.#steps.push(input, output, layer);
  }

  #activate(input: string, output: string, activation: PlanActivation): void {
    const rows = this.#rows.get(input);
    if (rows === undefined) {
      this.#steps.activate(input, output, activation);
      return;
    }
    // Rows have the same values as the image, so the activation can be applied to the image.
    const image = `${output} as an image`;
    this.#steps.activate(rows.of, image, activation);
    this.#rows.set(output, { ...rows, of: image });
  }

  /** In a plan, the second operand of a sum may have fewer channels; the missing ones count as zeros. */
  #sum(node: OnnxNode): void {
    const [left = '', right = ''] = node.input;
    const [output = ''] = node.output;
    const [leftPart, rightPart] = [this.#padded.get(left), this.#padded.get(right)];
    if (leftPart !== undefined && rightPart !== undefined)
      throw unsupported('Add of two images with padded channels', node);
    this.#steps.sum(leftPart === undefined ? left : right, leftPart ?? rightPart ?? right, output);
  }

  #pad(node: OnnxNode): void {
    const [input = '', list = '', value = ''] = node.input;
    const [output = ''] = node.output;
    const pads = this.#constants.integers(list) ?? [];
    const [batch, before, top = 0, left = 0, batchEnd, behind = 0, bottom = 0, right = 0] = pads;
    const isPlain =
      pads.length === 8 && pads.every((pad) => pad >= 0) && batch === 0 && before === 0 && batchEnd === 0;
    const isByZeros = value === '' || this.#constants.scalar(value) === 0;
    if (!isPlain || !isByZeros || !['', 'constant'].includes(textOf(node, 'mode')))
      throw unsupported('Pad other than with zeros at the edges of an image or after its channels', node);
    const surrounds = top + left + bottom + right > 0;
    const image = surrounds && behind > 0 ? `${output} before its channels` : output;
    if (surrounds)
      this.#layer(input, image, zeroPadding(this.#steps.value(input), [top, left, bottom, right]));
    if (behind > 0) this.#padded.set(output, surrounds ? image : input);
    if (!surrounds && behind === 0) throw unsupported('Pad of zero width', node);
  }

  #multiply(node: OnnxNode): void {
    const [left = '', right = ''] = node.input;
    const factor = this.#constants.scalar(right) ?? this.#constants.scalar(left);
    if (factor === null) throw unsupported('Mul of two images', node);
    this.#steps.multiply(this.#constants.scalar(right) === null ? right : left, node.output[0] ?? '', factor);
  }

  #concatenate(node: OnnxNode): void {
    const [output = ''] = node.output;
    if (node.input.some((name) => this.#shapes.has(name))) {
      this.#shapes.add(output);
      return;
    }
    if (attributeOf(node, 'axis')?.i !== 1)
      throw unsupported('Concat along an axis other than channels', node);
    this.#steps.concatenate(node.input, output);
  }

  #transpose(node: OnnxNode): void {
    const [input = ''] = node.input;
    if (attributeOf(node, 'perm')?.ints?.join() !== '0,2,3,1') throw unsupported('Transpose', node);
    this.#steps.value(input);
    this.#nhwc.set(node.output[0] ?? '', input);
  }

  /** Reads a transposed image as rows of a fixed length, which is already the memory layout of a plan's images. */
  #reshape(node: OnnxNode): void {
    const [input = '', shape = ''] = node.input;
    const of = this.#nhwc.get(input);
    const columns = this.#constants.lastInteger(shape, this.#graph);
    if (of === undefined || columns === null || columns < 1) throw unsupported('Reshape', node);
    if (this.#steps.value(of).channels % columns !== 0)
      throw unsupported('Reshape into rows that cross pixels', node);
    this.#rows.set(node.output[0] ?? '', { of, columns });
  }
}
