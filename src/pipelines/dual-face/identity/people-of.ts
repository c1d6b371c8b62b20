import type { Observation } from '../analysis/observation.ts';
import { identifyPeople } from './identify-people.ts';
import type { Person } from './person.ts';
import { settleCrossings } from './settle-crossings.ts';
import { trackletsOf, type Shot } from './tracklet.ts';

/** Everybody who is seen in a video, numbered from 1 in the order of their first appearance. */
export function peopleOf(observations: readonly Observation[], shots: readonly Shot[]): Person[] {
  const people = settleCrossings(identifyPeople(trackletsOf(observations, shots)));
  return people.filter((person) => !isMistake(person, shots)).map((person, i) => ({ ...person, id: i + 1 }));
}

/** Faces that no second detection has confirmed, except at the start of a shot, are mistakes of the detector. */
function isMistake({ tracklets }: Person, shots: readonly Shot[]): boolean {
  return tracklets.every(
    ({ shot, sightings: [sighting, next] }) => next === undefined && sighting?.frame !== shots[shot]?.from,
  );
}
