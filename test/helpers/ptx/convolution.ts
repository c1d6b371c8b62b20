import { DeviceData, Image, randomNumbers, Struct } from './device-data.ts';
import { Epilogue, type EpilogueOptions } from './epilogue.ts';
import { fromHalf, toHalf } from './halves.ts';
import { parseKernel } from './parse-ptx.ts';
import { runGrid } from './run-grid.ts';

export interface ConvolutionCase extends EpilogueOptions {
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** A kernel of the 3x3 convolution on tensor cores, as its launcher starts it. */
export interface TensorKernel {
  readonly name: (outputs: number) => string;
  readonly threads: number;
  readonly tile: { readonly height: number; readonly width: number };
  /** Output channels that a block makes. */
  readonly group: (outputs: number) => number;
  readonly sharedBytes: (outputs: number) => number;
  /** Input channels that lie together for one tap. */
  readonly chunk: number;
  /** Position of a weight in its group and in its chunk of one tap. */
  readonly place: (output: number, input: number) => number;
}

const TAPS = 9;
const tilesFor = (outputs: number): number => (outputs >= 64 ? 8 : Math.ceil(outputs / 16) * 2);

export const MMA: TensorKernel = {
  name: (outputs) => `TensorConvKernelILi${tilesFor(outputs)}E`,
  threads: 128,
  tile: { height: 8, width: 32 },
  group: (outputs) => tilesFor(outputs) * 8,
  sharedBytes: (outputs) => 2 * 340 * 32 + 3 * tilesFor(outputs) * 8 * 32,
  chunk: 16,
  place: (output, input) => output * 16 + input,
};

export const WGMMA: TensorKernel = {
  name: () => 'WgmmaConvKernel',
  threads: 256,
  tile: { height: 8, width: 62 },
  group: () => 64,
  sharedBytes: () => 2 * 4 * 649 * 16 + 6 * 64 * 64,
  chunk: 32,
  place: (output, input) => (Math.floor(input / 8) * 64 + output) * 8 + (input % 8),
};

export interface Outcome {
  /** Largest error relative to the larger of 1 and the true value; NaN counts as Infinity. */
  readonly error: number;
  readonly wroteElsewhere: boolean;
  /** Instructions of a warp before each barrier. */
  readonly executed: readonly number[];
}

/** Executes a kernel's PTX and compares its result with the convolution in float64. */
export function convolve(ptx: string, kernel: TensorKernel, options: ConvolutionCase, seed = 1): Outcome {
  const { height, width, inputs, outputs } = options;
  const random = randomNumbers(seed);
  const data = new DeviceData();
  const x = new Image(height, width, inputs, 16).fill(() => random(-1, 1)).addTo(data);
  const y = new Image(height, width, outputs).addTo(data);
  const bound = Math.sqrt(3 / (TAPS * inputs));
  const weights = Uint16Array.from({ length: outputs * TAPS * inputs }, () => toHalf(random(-bound, bound)));
  const packed = data.add(pack(weights, kernel, options));
  const epilogue = new Epilogue(data, y, options, random);
  const memory = data.memory();
  const group = kernel.group(outputs);
  const executed = runGrid(
    parseKernel(ptx, kernel.name(outputs)),
    {
      grid: {
        x: Math.ceil(width / kernel.tile.width),
        y: Math.ceil(height / kernel.tile.height),
        z: Math.ceil(outputs / group),
      },
      threads: kernel.threads,
      sharedBytes: kernel.sharedBytes(outputs),
      parameters: new Struct(
        ['struct', x.struct],
        ['struct', y.struct],
        ['u64', packed],
        ['struct', epilogue.struct],
      ).bytes,
    },
    memory,
  );
  const { halves, others } = y.read(memory);
  const sums = plainConvolution(x, weights, outputs);
  let error = 0;
  for (let i = 0; i < sums.length; i++) {
    const channel = i % outputs;
    const pixel = (i - channel) / outputs;
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const wanted = epilogue.apply(sums[i] as number, row, column, channel);
    const difference = Math.abs(y.at(row, column, channel, halves) - wanted) / Math.max(1, Math.abs(wanted));
    error = Math.max(error, Number.isNaN(difference) ? Infinity : difference);
  }
  return { error, wroteElsewhere: others, executed };
}

/** [output][tap][input] as the kernel reads them: [group][chunk of inputs][tap] and then by its own order. */
function pack(weights: Uint16Array, kernel: TensorKernel, { inputs, outputs }: ConvolutionCase): Uint16Array {
  const { chunk } = kernel;
  const group = kernel.group(outputs);
  const groups = Math.ceil(outputs / group);
  const packed = new Uint16Array(groups * group * TAPS * inputs);
  for (let output = 0; output < outputs; output++) {
    for (let tap = 0; tap < TAPS; tap++) {
      for (let input = 0; input < inputs; input++) {
        const part = (Math.floor(output / group) * (inputs / chunk) + Math.floor(input / chunk)) * TAPS + tap;
        const place = part * group * chunk + kernel.place(output % group, input % chunk);
        packed[place] = weights[(output * TAPS + tap) * inputs + input] as number;
      }
    }
  }
  return packed;
}

function plainConvolution(x: Image, halves: Uint16Array, outputs: number): Float64Array {
  const weights = Float64Array.from(halves, fromHalf);
  const terms = TAPS * x.channels;
  const around = new Float64Array(terms);
  const sums = new Float64Array(x.height * x.width * outputs);
  for (let pixel = 0; pixel < x.height * x.width; pixel++) {
    const [row, column] = [Math.floor(pixel / x.width), pixel % x.width];
    for (let i = 0; i < terms; i++) {
      const tap = Math.floor(i / x.channels);
      around[i] = x.padded(row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1, i % x.channels);
    }
    for (let output = 0; output < outputs; output++) {
      let sum = 0;
      for (let i = 0; i < terms; i++) sum += (around[i] as number) * (weights[output * terms + i] as number);
      sums[pixel * outputs + output] = sum;
    }
  }
  return sums;
}
