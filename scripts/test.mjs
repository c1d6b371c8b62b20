// `npm test`: set-up, then vitest in this same process; further arguments go to vitest.
import { setUp } from './setup.mjs';

await setUp({ forTests: true });
process.argv.splice(
  2,
  0,
  'run',
  '--project=unit',
  '--project=integration',
  '--project=recovery',
  '--project=native',
);
await import('../node_modules/vitest/vitest.mjs');
