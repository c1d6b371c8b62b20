import { randomBytes } from 'node:crypto';
import { homeAt, type IdentifiedHome } from '../../src/config/home.ts';

/** Different in each test file, as files run at the same time and a RAM disk is removed by the ID in its name. */
export const HOME_ID = randomBytes(8).toString('hex');

/** A home whose ID is known without a database. */
export function identifiedHomeAt(root: string, id = HOME_ID): IdentifiedHome {
  return { ...homeAt(root), id };
}
