import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whether a request copies a part of an object, which fauxqs cannot do. */
export function isPartCopy({ method, url = '', headers }: IncomingMessage): boolean {
  return method === 'PUT' && url.includes('partNumber=') && headers['x-amz-copy-source'] !== undefined;
}

/** Does it with what fauxqs can do: reads the range, and uploads it as a part. */
export async function copyPart(
  target: string,
  { url = '', headers }: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const source = `${target}/${String(headers['x-amz-copy-source']).replace(/^\//, '')}`;
  const head = await fetch(source, { method: 'HEAD' });
  answer.setHeader('content-type', 'application/xml');
  if (head.headers.get('etag') !== headers['x-amz-copy-source-if-match']) {
    answer.writeHead(412);
    answer.end('<Error><Code>PreconditionFailed</Code><Message>The source was changed.</Message></Error>');
    return;
  }
  const found = await fetch(source, {
    headers: { range: String(headers['x-amz-copy-source-range']) },
  });
  if (found.status !== 206) throw new Error(`The stand-in has sent no range: ${found.status}.`);
  const stored = await fetch(target + url, { method: 'PUT', body: Buffer.from(await found.arrayBuffer()) });
  if (!stored.ok) throw new Error(`The stand-in has not taken a part: ${stored.status}.`);
  answer.writeHead(200);
  answer.end(`<CopyPartResult><ETag>${stored.headers.get('etag')}</ETag></CopyPartResult>`);
}
