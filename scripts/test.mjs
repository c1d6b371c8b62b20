// `npm test` and, with --all, `npm run test:all`: sets up, then runs vitest in this same process. Further arguments go
// to vitest. Without --all, tests tagged `slow` and the native project are left out.
import { setUp } from './setup.mjs';
import { vitestArguments } from './test/vitest-arguments.mjs';

const args = process.argv.slice(2);
await setUp({ withNativeProgram: args.includes('--all') });
process.argv.splice(2, args.length, ...vitestArguments(args));
await import('../node_modules/vitest/vitest.mjs');
