import { Command } from 'commander';
import { runTrackingBenchmark } from '../pipelines/dual-face/tracking/tracking-benchmark.ts';
import { detectorsCommand } from './bench-detectors.ts';
import { parsePositiveCount } from './parse-arguments.ts';
import type { Cli } from './cli.ts';
import { formatTable } from './format-table.ts';

/** PERFORMANCE P11. */
const SCENARIOS = 200;

/** `framekiln bench`: what parts of Framekiln achieve on this machine. */
export function benchCommand(cli: Cli): Command {
  return new Command('bench')
    .description('measure parts of Framekiln')
    .addCommand(detectorsCommand(cli))
    .addCommand(trackingCommand(cli));
}

function trackingCommand(cli: Cli): Command {
  return new Command('tracking')
    .description('follow two faces through synthetic scenarios of which the truth is known')
    .option('--scenarios <count>', 'how many, with the seeds from 0 on', parsePositiveCount, SCENARIOS)
    .option('--json', 'as JSON')
    .action(async (options: { scenarios: number; json?: true }) => {
      const result = await runTrackingBenchmark(options.scenarios, () => performance.now());
      if (options.json === true) {
        cli.print(JSON.stringify(result, null, 2));
        return;
      }
      const rows = result.rows.map((row) => [
        row.method,
        row.kind,
        String(row.scenarios),
        row.idf1.toFixed(3),
        row.mota.toFixed(3),
        String(row.switches),
        String(row.lastingSwitches),
        row.paneSwaps === null ? '-' : String(row.paneSwaps),
        `${(100 * row.comparedShare).toFixed(1)} %`,
      ]);
      const titles = [
        'BY',
        'SCENARIO',
        'COUNT',
        'IDF1',
        'MOTA',
        'SWITCHES',
        'LASTING',
        'PANE SWAPS',
        'FACES COMPARED',
      ];
      for (const line of formatTable(titles, rows)) cli.print(line);
      cli.print('Wanted: IDF1 of all at least 0.970; at most 1 switch in 20 crossings; no pane swap.');
      const speed = Math.round(result.framesPerSecond);
      cli.print(`Association alone: ${speed} frames a second with 10 faces (wanted: at least 2000).`);
    });
}
