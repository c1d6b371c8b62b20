import type { OnnxAttribute, OnnxNode } from './onnx-model.ts';

export function attributeOf(node: OnnxNode, name: string): OnnxAttribute | undefined {
  return node.attribute?.find((attribute) => attribute.name === name);
}

/** A string attribute; '' if it is absent. */
export function textOf(node: OnnxNode, name: string): string {
  return Buffer.from(attributeOf(node, name)?.s ?? []).toString();
}

/** An attribute with a list of integers; `fallback` if it is absent. */
export function integersOf(node: OnnxNode, name: string, fallback: readonly number[]): readonly number[] {
  const found = attributeOf(node, name)?.ints ?? [];
  return found.length === 0 ? fallback : found.map(Number);
}

export function integerOf(node: OnnxNode, name: string, fallback: number): number {
  return attributeOf(node, name)?.i ?? fallback;
}
