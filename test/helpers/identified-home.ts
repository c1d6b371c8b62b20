import { homeAt, type IdentifiedHome } from '../../src/config/home.ts';

export const HOME_ID = '0123456789abcdef';

/** A home whose ID is known without a database. */
export function identifiedHomeAt(root: string, id = HOME_ID): IdentifiedHome {
  return { ...homeAt(root), id };
}
