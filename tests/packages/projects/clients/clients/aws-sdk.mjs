import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

async function text(endpoint, { requestTimeout, ...options }) {
  const client = new S3Client({
    endpoint,
    region: 'none',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    requestHandler: { requestTimeout, throwOnRequestTimeout: true },
  });
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }), options);
  return Body.transformToString();
}

export const request = (url, abortSignal) => text(url, { abortSignal });
export const requestWithin = (url, requestTimeout) => text(url, { requestTimeout });
/** While a body is read, an abort gives the same error as a broken connection; only the signal tells them apart. */
export const tellsStalled = false;
