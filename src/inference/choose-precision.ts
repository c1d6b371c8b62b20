import type { Precision } from '../domain/job.ts';
import type { ModelFile } from '../domain/models.ts';

/**
 * For `auto`, the fastest precision that stays above 50 dB on every test image: those of the user, or our own
 * (docs/decisions/0050-cpu-engine.md).
 *
 * @param measured by `framekiln bench precision`; null: not measured
 */
export function choosePrecision(
  setting: Precision | 'auto',
  model: Pick<ModelFile, 'architecture'> | null,
  measured: Precision | null = null,
): Precision {
  if (setting !== 'auto') return setting;
  return measured ?? (model?.architecture === 'srvgg' ? 'fast' : 'balanced');
}
