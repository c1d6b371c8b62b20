import { expect, test } from 'vitest';
import {
  EngineError,
  InputRejectedError,
  ModelError,
  StoppedError,
  TransientError,
} from '../../../src/domain/errors.ts';
import { reviveError } from '../../../src/inference-thread/revive-error.ts';

test.each([
  ['STOPPED', StoppedError, 'STOPPED'],
  ['ABORT_ERR', StoppedError, 'STOPPED'],
  ['ENOSPC', TransientError, 'DISK_FULL'],
  ['STATE_OF_OTHER_VERSION', InputRejectedError, 'STATE_OF_OTHER_VERSION'],
  ['MODEL_UNREADABLE', ModelError, 'MODEL_UNREADABLE'],
  ['MODEL_UNSUITABLE', ModelError, 'MODEL_UNSUITABLE'],
  ['OUT_OF_MEMORY', EngineError, 'OUT_OF_MEMORY'],
  ['DEVICE_LOST', EngineError, 'DEVICE_LOST'],
  ['ENGINE_UNAVAILABLE', EngineError, 'ENGINE_UNAVAILABLE'],
  ['INTERNAL', EngineError, 'ENGINE_FAILED'],
] as const)('the code %s of the thread becomes the right error', (code, kind, expected) => {
  const error = reviveError(code, 'what happened');
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ code: expected });
  expect(error.message).toContain('what happened');
});
