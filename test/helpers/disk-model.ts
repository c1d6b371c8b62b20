import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Operation } from './recorded-operations.ts';

/** Data reaches the disk in pages; at a power cut each pending page may be on the disk or not. */
const PAGE = 4096;

type Node = Map<string, number> | Buffer;

type Effect =
  | { readonly kind: 'data'; readonly node: number; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'size'; readonly node: number; readonly size: number }
  | {
      readonly kind: 'link' | 'unlink';
      readonly folder: number;
      readonly name: string;
      readonly node: number;
    }
  | {
      readonly kind: 'move';
      readonly folder: number;
      readonly name: string;
      readonly toFolder: number;
      readonly to: string;
      readonly node: number;
    };

/** The fate of an effect that was not synced: kept, lost, or `zeros`: only the new length of the file was kept. */
export type Fate = 'kept' | 'lost' | 'zeros';

/**
 * A disk that guarantees no more than POSIX does. Written data is durable after fsync or fdatasync of the file; names
 * (creation, rename, removal) are durable after fsync of their folder, and of every new folder above it. At a power
 * cut every other effect is either on the disk or not, page by page and in any order; a rename is atomic; a file can
 * have its new length with zeros instead of data.
 */
export class DiskModel {
  readonly #root: string;
  readonly #nodes = new Map<number, Node>([[0, new Map()]]);
  /** Node of each path as the running system sees it. */
  readonly #live = new Map<string, number>();
  #pending: Effect[] = [];
  #nextNode = 1;

  /** @param root the modelled folder; `folders` and `files` have relative paths and are durable from the start */
  constructor(root: string, folders: readonly string[], files: ReadonlyMap<string, Buffer>) {
    this.#root = root;
    this.#live.set(root, 0);
    for (const folder of [...folders].sort()) this.#make(join(root, folder), new Map());
    for (const [path, bytes] of files) {
      this.#make(join(root, path), bytes);
    }
    this.#pending = [];
  }

  /** Number of effects that a power cut can lose now. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  apply(operation: Operation): void {
    const { path } = operation;
    const node = this.#live.get(path);
    switch (operation.kind) {
      case 'create':
        if (node === undefined) this.#make(path, Buffer.alloc(0), true);
        return;
      case 'mkdir':
        this.#make(path, new Map(), true);
        return;
      case 'truncate-open':
      case 'resize':
        if (node !== undefined)
          this.#pending.push({ kind: 'size', node, size: operation.kind === 'resize' ? operation.size : 0 });
        return;
      case 'write':
        // No path leads to an unlinked file.
        if (node === undefined) return;
        if (Number.isNaN(operation.offset)) throw new Error(`appending to ${path} is not modelled`);
        for (let at = 0; at < operation.bytes.length;) {
          const offset = operation.offset + at;
          const end = Math.min(operation.bytes.length, at + PAGE - (offset % PAGE));
          this.#pending.push({ kind: 'data', node, offset, bytes: operation.bytes.subarray(at, end) });
          at = end;
        }
        return;
      case 'unlink':
      case 'rmdir':
        if (node === undefined) return;
        this.#live.delete(path);
        this.#pending.push({ kind: 'unlink', ...this.#place(path), node });
        return;
      case 'rename': {
        if (node === undefined) throw new Error(`${path} is renamed, but is not known`);
        for (const [name, inner] of [...this.#live]) {
          if (name !== path && !name.startsWith(`${path}/`)) continue;
          this.#live.delete(name);
          this.#live.set(operation.to + name.slice(path.length), inner);
        }
        const { folder: toFolder, name: to } = this.#place(operation.to);
        this.#pending.push({ kind: 'move', ...this.#place(path), toFolder, to, node });
        return;
      }
      case 'link':
        if (node === undefined) throw new Error(`${path} gets another name, but is not known`);
        this.#live.set(operation.to, node);
        this.#pending.push({ kind: 'link', ...this.#place(operation.to), node });
        return;
      case 'sync':
        if (node === undefined) return;
        for (const effect of this.#pending)
          if (isDurableBy(effect, node)) perform(effect, 'kept', this.#nodes);
        this.#pending = this.#pending.filter((effect) => !isDurableBy(effect, node));
    }
  }

  /** Writes the state after a power cut to `into`; `fate` decides on each effect that was not synced. */
  writeCrashState(into: string, fate: (effect: number) => Fate): void {
    const nodes = new Map(
      [...this.#nodes].map(([id, node]) => [id, node instanceof Map ? new Map(node) : node]),
    );
    this.#pending.forEach((effect, index) => perform(effect, fate(index), nodes));
    const write = (folder: string, entries: ReadonlyMap<string, number>): void => {
      mkdirSync(folder, { recursive: true });
      for (const [name, id] of entries) {
        const node = nodes.get(id);
        if (node instanceof Map) write(join(folder, name), node);
        else if (node !== undefined) writeFileSync(join(folder, name), node);
      }
    };
    const root = nodes.get(0);
    if (root instanceof Map) write(into, root);
  }

  #make(path: string, content: Node, isPending = false): void {
    if (this.#live.has(path)) return;
    const node = this.#nextNode++;
    this.#nodes.set(node, content);
    this.#live.set(path, node);
    const effect = { kind: 'link', ...this.#place(path), node } as const;
    if (isPending) this.#pending.push(effect);
    else perform(effect, 'kept', this.#nodes);
  }

  #place(path: string): { folder: number; name: string } {
    const folder = this.#live.get(dirname(path));
    if (folder === undefined) throw new Error(`the folder of ${path} is not known in ${this.#root}`);
    return { folder, name: path.slice(dirname(path).length + 1) };
  }
}

function isDurableBy(effect: Effect, synced: number): boolean {
  if (effect.kind === 'data' || effect.kind === 'size') return effect.node === synced;
  return effect.folder === synced || (effect.kind === 'move' && effect.toFolder === synced);
}

function perform(effect: Effect, fate: Fate, nodes: Map<number, Node>): void {
  if (fate === 'lost') return;
  const folder = (id: number): Map<string, number> => {
    const node = nodes.get(id);
    return node instanceof Map ? node : new Map<string, number>();
  };
  const bytesOf = (id: number): Buffer => {
    const node = nodes.get(id);
    return node instanceof Map || node === undefined ? Buffer.alloc(0) : node;
  };
  switch (effect.kind) {
    case 'data': {
      const old = bytesOf(effect.node);
      const bytes = Buffer.alloc(Math.max(old.length, effect.offset + effect.bytes.length));
      old.copy(bytes);
      if (fate === 'kept') effect.bytes.copy(bytes, effect.offset);
      nodes.set(effect.node, bytes);
      return;
    }
    case 'size': {
      const bytes = Buffer.alloc(effect.size);
      bytesOf(effect.node).copy(bytes);
      nodes.set(effect.node, bytes);
      return;
    }
    case 'link':
      folder(effect.folder).set(effect.name, effect.node);
      return;
    case 'unlink':
      if (folder(effect.folder).get(effect.name) === effect.node) folder(effect.folder).delete(effect.name);
      return;
    case 'move':
      if (folder(effect.folder).get(effect.name) === effect.node) folder(effect.folder).delete(effect.name);
      folder(effect.toFolder).set(effect.to, effect.node);
  }
}
