import type { S3Client } from '@aws-sdk/client-s3';
import { codeOf, ConfigurationError } from '../../domain/errors.ts';
import type { S3Store } from '../object-store/s3-store.ts';

/**
 * Connections of the AWS SDK, with limits that notice a cut network. Credentials and region come from where the SDK looks for
 * them: variables, the profile, or the role of the instance.
 *
 * @param endpoint address of a server other than AWS, such as that of a test; its buckets are part of the path
 */
export function connectionOptions(endpoint: string | null) {
  return {
    maxAttempts: 6,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 30_000 },
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
  };
}

export async function createS3Client(endpoint: string | null): Promise<S3Client> {
  const { S3Client } = await loadAws(() => import('@aws-sdk/client-s3'));
  return new S3Client(connectionOptions(endpoint));
}

/** Opens a bucket. @throws ConfigurationError if the AWS SDK is not installed */
export async function openS3Store(bucket: string, endpoint: string | null): Promise<S3Store> {
  const { S3Store } = await loadAws(() => import('../object-store/s3-store.ts'));
  return new S3Store(await createS3Client(endpoint), bucket);
}

/** Imports what needs the AWS SDK, which is an optional dependency. */
export async function loadAws<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    const sentence =
      'This command needs the AWS SDK, which is not installed; to install it: npm install --include=optional';
    throw new ConfigurationError(sentence, [sentence], { cause: error });
  }
}
