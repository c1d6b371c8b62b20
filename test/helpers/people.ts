import { newPerson, STABLE_FRAMES, type Person } from '../../src/pipelines/dual-face/identity/person.ts';

/** A stable person with a face 100 px high whose centre is at `x`. */
export function stablePerson(id: number, x: number, change: Partial<Person> = {}): Person {
  const box = { x: x - 40, y: 300, width: 80, height: 100 };
  return {
    ...newPerson(id, { id, box, score: 0.9, isSeen: true }, 100, false),
    confidentFrames: STABLE_FRAMES,
    presence: 1,
    ...change,
  };
}
