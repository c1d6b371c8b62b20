import { unsupported } from './unsupported.ts';
import type { LoweredGraph } from './lower-graph.ts';
import type { PlanTensor } from './plan-format.ts';

/** Memory of one value, or of all members of a concatenation. */
interface Storage {
  readonly pitch: number;
  readonly area: number;
  /** Index of the first step that writes it and of the last one that reads it; -1 for the model's input, Infinity for outputs. */
  birth: number;
  death: number;
}

interface Place {
  readonly storage: Storage;
  readonly offset: number;
}

/**
 * Assigns memory to every value of a model. The members of a concatenation are adjacent in the same slot, and a slot is
 * reused after the last read of its content.
 */
export function placeTensors(graph: LoweredGraph): ReadonlyMap<string, PlanTensor> {
  const places = findPlaces(graph);
  findLifetimes(graph, places);
  const slots = assignSlots(new Set([...places.values()].map(({ storage }) => storage)));
  return new Map(
    [...places].map(([name, { storage, offset }]) => {
      const { channels } = graph.steps.value(name);
      return [name, { slot: slots.get(storage) ?? 0, pitch: storage.pitch, offset, channels }];
    }),
  );
}

function findPlaces({ input, steps }: LoweredGraph): Map<string, Place> {
  const places = new Map<string, Place>();
  const concatenations = [...steps.concatenations].sort(([, a], [, b]) => b.length - a.length);
  for (const [name, members] of concatenations) {
    const first = places.get(members[0] ?? '');
    if (first === undefined) {
      placeTogether(members, places, graphValue);
    } else if (!areAdjacent(members, places, graphValue)) {
      throw unsupported(`a Concat that uses the inputs of another Concat in a different order (${name})`);
    }
    const place = places.get(members[0] ?? '');
    if (place !== undefined) places.set(name, place);
  }
  const single = [input, ...steps.steps.map(({ output }) => output)].filter((name) => !places.has(name));
  for (const name of single) placeTogether([name], places, graphValue);
  if ((places.get(input)?.offset ?? 0) !== 0 || places.get(input)?.storage.pitch !== 8)
    throw unsupported('a Concat in which the input of the model is not first');
  return places;

  function graphValue(name: string) {
    return steps.value(name);
  }
}

type ValueOf = (name: string) => { readonly channels: number; readonly area: number };

function placeTogether(members: readonly string[], places: Map<string, Place>, valueOf: ValueOf): void {
  const channels = members.reduce((sum, name) => sum + valueOf(name).channels, 0);
  const area = valueOf(members[0] ?? '').area;
  const storage = { pitch: toEight(channels), area, birth: Infinity, death: -Infinity };
  let offset = 0;
  for (const name of members) {
    if (offset % 8 !== 0) throw unsupported('Concat of channel counts that are not multiples of 8');
    if (places.has(name)) throw unsupported('a value used by two Concat nodes whose other inputs differ');
    places.set(name, { storage, offset });
    offset += valueOf(name).channels;
  }
}

/** Whether the members are adjacent from offset 0 of one storage, so that a shorter concatenation can share it. */
function areAdjacent(members: readonly string[], places: Map<string, Place>, valueOf: ValueOf): boolean {
  const { storage } = places.get(members[0] ?? '') ?? {};
  let offset = 0;
  return members.every((name) => {
    const place = places.get(name);
    const fits = place?.storage === storage && place?.offset === offset;
    offset += valueOf(name).channels;
    return fits;
  });
}

function toEight(channels: number): number {
  return Math.ceil(channels / 8) * 8;
}

function findLifetimes({ input, steps, outputs }: LoweredGraph, places: Map<string, Place>): void {
  const storageOf = (name: string): Storage => {
    const place = places.get(name);
    if (place === undefined) throw unsupported(`a value named ${name}, which no supported node computes`);
    return place.storage;
  };
  storageOf(input).birth = -1;
  steps.steps.forEach(({ input: read, residuals, output }, index) => {
    for (const name of [read, ...residuals]) {
      const storage = storageOf(name);
      storage.death = Math.max(storage.death, index);
    }
    const written = storageOf(output);
    written.birth = Math.min(written.birth, index);
    written.death = Math.max(written.death, index);
  });
  for (const { tensor } of outputs) storageOf(tensor).death = Infinity;
}

/** Reuses slots: a slot is free after the last step that reads its content. */
function assignSlots(storages: ReadonlySet<Storage>): Map<Storage, number> {
  const slots: Storage[] = [];
  const assigned = new Map<Storage, number>();
  for (const storage of [...storages].sort((a, b) => a.birth - b.birth)) {
    const size = storage.area * storage.pitch;
    const free = slots
      .map((last, slot) => ({ slot, death: last.death, size: last.area * last.pitch }))
      .filter(({ death }) => death < storage.birth)
      // Choose the slot closest in size, so that large slots remain for large tensors.
      .sort((a, b) => Math.abs(a.size - size) - Math.abs(b.size - size))[0];
    const slot = free?.slot ?? slots.length;
    slots[slot] = storage;
    assigned.set(storage, slot);
  }
  return assigned;
}
