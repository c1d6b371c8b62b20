// `npm start`: sets up, then runs the daemon in this same process, so that signals and exit codes pass through.
import { setUp } from './setup.mjs';

await setUp();
process.argv.splice(2, 0, 'start');
await import('../dist/main.js');
