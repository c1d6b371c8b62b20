import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Home } from '../../config/home.ts';
import { readSecret } from '../../lib/secret-file.ts';

const KEY_BYTES = 32;

/**
 * The secret that signs webhooks, in `.framekiln/webhook-secret`. It is no setting, because the page shows settings. A user
 * may replace it by the secret of a receiver.
 */
export function readWebhookSecret({ stateDir }: Pick<Home, 'stateDir'>): Promise<string> {
  return readSecret({
    path: join(stateDir, 'webhook-secret'),
    pattern: /^whsec_[A-Za-z0-9+/]{20,}={0,2}$/,
    expected: 'whsec_ and a key in base64',
    make: () => `whsec_${randomBytes(KEY_BYTES).toString('base64')}`,
  });
}
