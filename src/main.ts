#!/usr/bin/env node
import './config/no-telemetry.ts';
import { runCli } from './cli/program.ts';
import { failPointFolder } from './config/environment.ts';
import { armFailPoints } from './lib/fail-point.ts';
import { createPrivately } from './lib/user-umask.ts';

createPrivately();
armFailPoints(failPointFolder());
process.exit(await runCli(process.argv.slice(2)));
