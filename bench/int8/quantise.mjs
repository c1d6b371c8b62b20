/**
 * Rewrites a convolutional network for 8-bit integers in the QDQ format: every activation that a convolution (or an
 * operator that keeps to 8 bits beside it) reads is quantised to unsigned bytes with a scale and a zero point of its own,
 * weights to signed bytes with a scale per channel. onnxruntime fuses the pairs of QuantizeLinear and DequantizeLinear
 * with the operators between them. The outputs of the network stay float32, as a box of 192 pixels in 8 bits would be
 * off by almost a pixel.
 */

const TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6 };
/** Operators that compute with 8 bits. */
const COMPUTES = new Set(['Conv', 'Add']);
/** Operators that only move values, so that their output has the scale of their input. */
const MOVES = new Set(['MaxPool', 'Resize', 'Pad', 'Relu', 'Concat']);
const OPSET = 13;

/** Names of the activations that are quantised: what these operators read, and what they hand to each other. */
export function quantisedNames({ graph }) {
  // Sizes that are computed in the network, such as those for a Reshape, are no images.
  const images = new Set(graph.input.map(({ name }) => name));
  for (const { opType, output } of graph.node)
    if (COMPUTES.has(opType) || MOVES.has(opType)) for (const name of output) images.add(name);
  const names = new Set();
  for (const node of graph.node.filter((each) => isQuantised(each, graph)))
    for (const name of dataInputs(node)) if (images.has(name)) names.add(name);
  // The output of a convolution that only a Relu reads stays as it is: onnxruntime makes one operator of both.
  for (const node of graph.node.filter(({ opType }) => opType === 'Relu')) {
    const [name] = node.input;
    const readers = graph.node.filter(({ input }) => input.includes(name));
    const maker = graph.node.find(({ output }) => output.includes(name));
    if (readers.length === 1 && COMPUTES.has(maker?.opType)) names.delete(name);
  }
  return names;
}

/** @param ranges the smallest and the largest value of each activation, by name */
export function quantise(model, ranges) {
  const names = quantisedNames(model);
  const shared = sharedRanges(model, names, ranges);
  const tensors = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  const initializer = [];
  const node = [];
  const kept = new Set();
  const pair = (name) => {
    const { scale, zeroPoint } = parametersOf(shared.get(name));
    initializer.push(
      floats(`${name}_scale`, [], [scale]),
      bytes(`${name}_zero`, [], [zeroPoint], TYPE.uint8),
    );
    const parameters = [`${name}_scale`, `${name}_zero`];
    node.push(operator('QuantizeLinear', [name, ...parameters], `${name}_q`));
    node.push(operator('DequantizeLinear', [`${name}_q`, ...parameters], `${name}_dq`));
  };
  for (const { name } of model.graph.input) if (names.has(name)) pair(name);
  for (const each of model.graph.node) {
    const reads = dataInputs(each);
    const isInBytes = isQuantised(each, model.graph);
    const input = each.input.map((name) =>
      isInBytes && names.has(name) && reads.includes(name) ? `${name}_dq` : name,
    );
    if (each.opType === 'Conv') {
      const { scale } = parametersOf(shared.get(each.input[0]));
      const made = weightsOf(each, tensors, scale);
      initializer.push(...made.initializer);
      node.push(...made.node);
      input.splice(1, 2, ...made.names);
    }
    for (const name of input) kept.add(name);
    node.push({ ...each, input });
    for (const name of each.output) if (names.has(name)) pair(name);
  }
  const rest = model.graph.initializer.filter(({ name }) => kept.has(name));
  return {
    ...model,
    opsetImport: [{ domain: '', version: Math.max(OPSET, versionOf(model)) }],
    graph: { ...model.graph, node, initializer: [...rest, ...initializer], valueInfo: [] },
  };
}

/** The last operator before an output works with floating-point numbers, unless it computes. */
function isQuantised({ opType, output }, graph) {
  if (COMPUTES.has(opType)) return true;
  return MOVES.has(opType) && !graph.output.some(({ name }) => output.includes(name));
}

function versionOf({ opsetImport }) {
  return opsetImport.find(({ domain = '' }) => domain === '')?.version ?? OPSET;
}

/** The inputs of an operator that are images; the others are weights, sizes and the like. */
function dataInputs({ opType, input }) {
  return opType === 'Concat' || opType === 'Add' ? input : input.slice(0, 1);
}

/** Where values are only moved, both sides must have the same range: the one that holds both. */
function sharedRanges({ graph }, names, ranges) {
  const shared = new Map([...names].map((name) => [name, { ...ranges.get(name) }]));
  for (let pass = 0; pass < graph.node.length; pass++) {
    let isChanged = false;
    for (const node of graph.node.filter(
      (each) => MOVES.has(each.opType) && each.opType !== 'Relu' && isQuantised(each, graph),
    )) {
      const group = [...dataInputs(node), ...node.output].filter((name) => shared.has(name));
      const low = Math.min(...group.map((name) => shared.get(name).low));
      const high = Math.max(...group.map((name) => shared.get(name).high));
      for (const name of group) {
        const range = shared.get(name);
        if (range.low === low && range.high === high) continue;
        Object.assign(range, { low, high });
        isChanged = true;
      }
    }
    if (!isChanged) break;
  }
  return shared;
}

/** 0 must be a value exactly, for padding and Relu. */
function parametersOf({ low, high }) {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const scale = Math.max((to - from) / 255, 1e-12);
  return { scale, zeroPoint: Math.round(-from / scale) };
}

/** The weights in signed bytes and the bias in 32 bits, both with a scale per output channel. */
function weightsOf({ input: [, weightName, biasName], output: [output] }, tensors, inputScale) {
  const weight = tensors.get(weightName);
  const values = valuesOf(weight);
  const [channels] = weight.dims;
  const size = values.length / channels;
  const scales = Array.from({ length: channels }, (_, channel) => {
    const own = values.subarray(channel * size, (channel + 1) * size);
    return Math.max(own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127, 1e-12);
  });
  const rounded = values.map((value, i) => Math.round(value / scales[Math.floor(i / size)]));
  const prefix = `${output}_int8_weight`;
  const initializer = [
    bytes(`${prefix}_q`, weight.dims, rounded, TYPE.int8),
    floats(`${prefix}_scale`, [channels], scales),
    bytes(`${prefix}_zero`, [channels], new Array(channels).fill(0), TYPE.int8),
  ];
  const axis = { name: 'axis', type: 2, i: 0 };
  const node = [
    operator('DequantizeLinear', [`${prefix}_q`, `${prefix}_scale`, `${prefix}_zero`], prefix, [axis]),
  ];
  if (biasName === undefined || biasName === '') return { initializer, node, names: [prefix] };
  const biasScales = scales.map((scale) => scale * inputScale);
  const bias = Int32Array.from(valuesOf(tensors.get(biasName)), (value, i) =>
    Math.round(value / biasScales[i]),
  );
  initializer.push(
    {
      name: `${output}_int8_bias_q`,
      dims: [channels],
      dataType: TYPE.int32,
      rawData: new Uint8Array(bias.buffer),
    },
    floats(`${output}_int8_bias_scale`, [channels], biasScales),
  );
  node.push(
    operator(
      'DequantizeLinear',
      [`${output}_int8_bias_q`, `${output}_int8_bias_scale`],
      `${output}_int8_bias`,
      [axis],
    ),
  );
  return { initializer, node, names: [prefix, `${output}_int8_bias`] };
}

function operator(opType, input, output, attribute = []) {
  return { name: output, opType, input, output: [output], attribute };
}

function floats(name, dims, values) {
  return {
    ...{ name, dims, dataType: TYPE.float32 },
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  };
}

function bytes(name, dims, values, dataType) {
  return { name, dims, dataType, rawData: Uint8Array.from(values, (value) => value & 0xff) };
}

function valuesOf({ rawData, floatData = [] }) {
  if (rawData === undefined || rawData.length === 0) return Float32Array.from(floatData);
  return new Float32Array(Uint8Array.from(rawData).buffer);
}
