// `npm start`: set-up, then the daemon in this same process, so that signals and the exit code are its own.
import { setUp } from './setup.mjs';

await setUp();
process.argv.splice(2, 0, 'start');
await import('../dist/main.js');
