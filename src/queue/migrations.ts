import type { Migration } from './migrate.ts';
import { firstSchema } from './migrations/0001-first-schema.ts';

/** Every migration, in order. Append only. */
export const MIGRATIONS: readonly Migration[] = [firstSchema];
