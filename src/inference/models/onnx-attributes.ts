import type { OnnxAttribute, OnnxNode } from './onnx-model.ts';

export function attributeOf(node: OnnxNode, name: string): OnnxAttribute | undefined {
  return node.attribute?.find((attribute) => attribute.name === name);
}

/** A text attribute; '' where there is none. */
export function textOf(node: OnnxNode, name: string): string {
  return Buffer.from(attributeOf(node, name)?.s ?? []).toString();
}

/** A list of integers; `fallback` where there is none. */
export function integersOf(node: OnnxNode, name: string, fallback: readonly number[]): readonly number[] {
  const found = attributeOf(node, name)?.ints ?? [];
  return found.length === 0 ? fallback : found.map(Number);
}

export function integerOf(node: OnnxNode, name: string, fallback: number): number {
  return attributeOf(node, name)?.i ?? fallback;
}
