import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { PutCondition, Transfer } from './object-store.ts';
import { conditionOf, limited, until, type Target } from './s3-requests.ts';

/** Parts that are copied at the same time. */
const COPIES_AT_ONCE = 4;

export interface CopyRequest extends Transfer {
  readonly source: { readonly CopySource: string; readonly CopySourceIfMatch: string };
  readonly target: Target;
  /** Bytes of the source. */
  readonly size: number;
  readonly partBytes: number;
  readonly condition?: PutCondition | undefined;
}

/**
 * Copies an object within S3 in parts. The condition on the target is checked when the parts become an object.
 *
 * A copy that fails leaves no parts, unless the store cannot be reached; then the rules of the bucket remove them
 * (packaging/aws/lifecycle.json).
 */
export async function copyInParts(client: S3Client, request: CopyRequest): Promise<void> {
  const { target, condition, signal } = request;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target), limited(signal));
  const upload = { ...target, UploadId };
  try {
    const Parts = await copyParts(client, upload, request);
    const completion = { ...upload, MultipartUpload: { Parts }, ...conditionOf(condition) };
    await client.send(new CompleteMultipartUploadCommand(completion), until(signal));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload), limited()).catch(() => undefined);
    throw error;
  }
}

async function copyParts(
  client: S3Client,
  upload: Target & { readonly UploadId: string | undefined },
  { source, size, partBytes, signal, onMoved }: CopyRequest,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  const count = Math.ceil(size / partBytes);
  let next = 1;
  const copySome = async (): Promise<void> => {
    while (next <= count) {
      const PartNumber = next++;
      const first = (PartNumber - 1) * partBytes;
      const CopySourceRange = `bytes=${first}-${Math.min(size, first + partBytes) - 1}`;
      const part = new UploadPartCopyCommand({ ...upload, ...source, PartNumber, CopySourceRange });
      const { CopyPartResult: found } = await client.send(part, until(signal));
      parts[PartNumber - 1] = { PartNumber, ETag: found?.ETag };
      onMoved?.();
    }
  };
  const copies = Array.from({ length: COPIES_AT_ONCE }, () =>
    copySome().catch((error: unknown) => {
      next = Infinity;
      throw error;
    }),
  );
  // Parts that arrive after the upload was given up would stay.
  const failed = (await Promise.allSettled(copies)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return parts;
}
