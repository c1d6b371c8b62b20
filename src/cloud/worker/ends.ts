import { FramekilnError } from '../../domain/errors.ts';

/** This worker no longer holds the message: another worker has the job. Nothing more is written for it. */
export class MessageLost extends FramekilnError {
  readonly code = 'MESSAGE_LOST';
}

/** The job goes on with another worker, or with this one after a new delivery: its checkpoints are in the store. */
export class HandOver extends FramekilnError {
  readonly code = 'HANDED_OVER';
}

/** Nothing has moved for so long that the message is put back. */
export class Stalled extends FramekilnError {
  readonly code = 'STALLED';
}

/** The job cannot go on here for now, because the disk is full, for example. */
export class CannotGoOn extends FramekilnError {
  readonly code = 'CANNOT_GO_ON';
}

/** The message goes to the dead-letter queue, because another delivery would end the same way. */
export class Poison extends FramekilnError {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function superseded(): MessageLost {
  return new MessageLost('Another worker has the job; this one stops.');
}
