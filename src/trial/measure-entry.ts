import '../config/no-telemetry.ts';
import { availableEngines } from '../inference/available-engines.ts';
import { measureCore, type CoreSettings } from './measure-core.ts';
import { measureDualFace, type DualFaceToMeasure } from './measure-dual-face.ts';
import { measureModel, type ModelToMeasure } from './measure-model.ts';

/** What the measuring process is asked for. */
export type Measurement =
  | ({ readonly kind: 'core' } & CoreSettings)
  | ({ readonly kind: 'model' } & ModelToMeasure)
  | ({ readonly kind: 'dual-face' } & DualFaceToMeasure);

/**
 * The measuring process: runs an engine, which may crash or hang, so it is not part of the daemon. It prints the result as
 * JSON.
 */
async function main(): Promise<void> {
  const request = JSON.parse(process.argv[2] ?? '') as Measurement;
  process.stdout.write(JSON.stringify(await measure(request)));
}

function measure(request: Measurement): Promise<unknown> {
  switch (request.kind) {
    case 'core':
      return measureCore(request);
    case 'model':
      return measureModel(request, availableEngines());
    case 'dual-face':
      return measureDualFace(request, availableEngines());
  }
}

await main();
