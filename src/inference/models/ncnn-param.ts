import { counted } from '../../lib/counted.ts';
import { ModelError } from '../../domain/errors.ts';

/** One line of a `.param` file. */
export interface NcnnLayer {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Parameters by key. Keys of arrays, -23300 and below in the file, are converted to plain keys. */
  readonly params: ReadonlyMap<number, number | readonly number[]>;
}

const MAGIC = '7767517';
const ARRAY_KEY_BASE = -23300;

/**
 * Parses the layers of an ncnn `.param` file, in order. The format is ncnn's "param and model file structure": a magic
 * number, the counts of layers and blobs, then one layer per line.
 *
 * @throws ModelError MODEL_UNREADABLE
 */
export function parseNcnnParam(text: string): NcnnLayer[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines[0]?.trim() !== MAGIC) throw unreadable(`the first line is not ${MAGIC}`);
  const layerCount = Number(lines[1]?.trim().split(/\s+/)[0]);
  const layers = lines.slice(2).map(parseLayer);
  if (layers.length !== layerCount) {
    throw unreadable(`it declares ${counted(layerCount, 'layer')} but contains ${layers.length}`);
  }
  return layers;
}

/** The number under `key`, or `fallback` if it is absent. */
export function numberParam(layer: NcnnLayer, key: number, fallback: number): number {
  const value = layer.params.get(key) ?? fallback;
  if (typeof value !== 'number')
    throw unreadable(`${layer.type} ${layer.name} has a list instead of a number under key ${key}`);
  return value;
}

/** The list under `key`, or an empty list if it is absent. */
export function listParam(layer: NcnnLayer, key: number): readonly number[] {
  const value = layer.params.get(key) ?? [];
  if (typeof value === 'number')
    throw unreadable(`${layer.type} ${layer.name} has a number instead of a list under key ${key}`);
  return value;
}

function parseLayer(line: string): NcnnLayer {
  const [type = '', name = '', inputText, outputText, ...rest] = line.trim().split(/\s+/);
  const inputCount = Number(inputText);
  const outputCount = Number(outputText);
  if (!Number.isInteger(inputCount) || !Number.isInteger(outputCount)) {
    throw unreadable(`the line "${line.trim()}" has no blob counts`);
  }
  return {
    type,
    name,
    inputs: rest.slice(0, inputCount),
    outputs: rest.slice(inputCount, inputCount + outputCount),
    params: new Map(rest.slice(inputCount + outputCount).map((pair) => parsePair(pair, name))),
  };
}

function parsePair(pair: string, layerName: string): [number, number | number[]] {
  const [keyText = '', valueText = ''] = pair.split('=');
  const key = Number(keyText);
  const values = valueText.split(',').map(Number);
  if (keyText === '' || valueText === '' || [key, ...values].some(Number.isNaN)) {
    throw unreadable(`the parameter "${pair}" of ${layerName} is not a numeric key=value pair`);
  }
  if (key > ARRAY_KEY_BASE) return [key, values[0] ?? 0];
  const [length, ...items] = values;
  if (length !== items.length) throw unreadable(`the list "${pair}" of ${layerName} has the wrong length`);
  return [ARRAY_KEY_BASE - key, items];
}

function unreadable(reason: string): ModelError {
  return new ModelError('MODEL_UNREADABLE', `The ncnn .param file cannot be read: ${reason}.`);
}
