import { visibleText } from '../lib/visible-text.ts';
import { formatDuration, formatRate } from '../observability/format-progress.ts';
import { BENCH_FRAME_RATE, type BenchModel, type BenchReport } from '../trial/bench-report.ts';
import { formatTable } from './format-table.ts';
import { shortName } from './try-output.ts';

/** The report as tables for the terminal. */
export function benchTables({ machine, models, encoders, missing }: BenchReport): string[] {
  const [first] = models;
  const sizes = (first?.rates ?? []).map(({ size, scale }) => `${size} ${scale}x`);
  const lengths = (first?.seconds ?? []).map(({ length }) => length.toUpperCase());
  const blocks = [
    [`${machine.cpu}, ${machine.cores} cores${machine.gpus.map((gpu) => `, ${gpu}`).join('')}`],
    [
      'Frames per second of a job, by source size and scale:',
      ...formatTable(
        ['MODEL', 'DEVICE', 'PRECISION', ...sizes.map((size) => size.toUpperCase())],
        models.map((row) => [...heads(row), ...row.rates.map((rate) => formatRate(rate.framesPerSecond))]),
      ),
    ],
    [
      `Time for a 1080p video at ${BENCH_FRAME_RATE} fps, scale 2, by length:`,
      ...formatTable(
        ['MODEL', 'DEVICE', 'PRECISION', ...lengths],
        models.map((row) => [
          ...heads(row),
          ...row.seconds.map(({ seconds }) => formatDuration(seconds * 1000)),
        ]),
      ),
    ],
    [
      'Encoders, 1080p frames per second:',
      ...formatTable(
        ['ENCODER', 'SPEED'],
        encoders.map(({ encoder, framesPerSecond, reason }) => [
          ...[encoder, framesPerSecond === null ? `does not work: ${reason}` : formatRate(framesPerSecond)],
        ]),
      ),
    ],
    missing.map(({ model, reason }) => `${visibleText(shortName(model))}: ${visibleText(reason)}`),
  ];
  return blocks.filter((block) => block.length > 0).flatMap((block, i) => (i === 0 ? block : ['', ...block]));
}

function heads({ model, device, precision }: BenchModel): string[] {
  return [visibleText(shortName(model)), device.toUpperCase(), precision ?? ''];
}
