import type { Precision } from '../domain/job.ts';
import type { ModelFile } from '../domain/models.ts';

/** For `auto`, the fastest precision that stays above 50 dB on every test image (docs/decisions/0050-cpu-engine.md). */
export function choosePrecision(
  setting: Precision | 'auto',
  model: Pick<ModelFile, 'architecture'> | null,
): Precision {
  if (setting !== 'auto') return setting;
  return model?.architecture === 'srvgg' ? 'fast' : 'balanced';
}
