import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  endSpeech,
  partOf,
  placeForSpeech,
  ReceivedSpeech,
  receiveSpeech,
  removeOldSpeeches,
} from '../../../src/workspace/received-speech.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const never = new AbortController().signal;

async function textOf(received: ReceivedSpeech): Promise<string> {
  let text = '';
  for await (const bytes of received.bytes(never)) text += bytes.toString();
  await received.close();
  return text;
}

test('a speech is read while it is received, and has its name when it is complete', async () => {
  const speechDir = join(temporaryFolder(), 'speech');
  const path = placeForSpeech({ speechDir }, 'a');
  let give = (): void => undefined;
  const rest = new Promise<void>((resolve) => (give = resolve));
  const receiving = receiveSpeech(
    (async function* () {
      yield Buffer.from('Good ');
      await rest;
      yield Buffer.from('morning');
    })(),
    path,
  );
  const received = new ReceivedSpeech(path);
  const bytes = received.bytes(never)[Symbol.asyncIterator]();
  expect(String((await bytes.next()).value)).toBe('Good ');
  await received.sync();
  expect(existsSync(path)).toBe(false);
  give();
  expect(String((await bytes.next()).value)).toBe('morning');
  await receiving;
  expect((await bytes.next()).done).toBe(true);
  await received.close();
  expect(await textOf(new ReceivedSpeech(path))).toBe('Good morning');
  expect(existsSync(partOf(path))).toBe(false);
});

test('a speech whose receiver has died is rejected with advice, and what had arrived can be taken for the whole', async () => {
  const speechDir = join(temporaryFolder(), 'speech');
  const path = placeForSpeech({ speechDir }, 'a');
  const writing = openSync(partOf(path), 'w');
  writeSync(writing, 'Good');
  await expect(endSpeech(partOf(path))).rejects.toMatchObject({ code: 'BAD_AUDIO' });
  await removeOldSpeeches({ speechDir }, new Set());
  expect(readdirSync(speechDir)).toEqual(['a.part']);
  closeSync(writing);
  await expect(textOf(new ReceivedSpeech(path))).rejects.toThrow(`--audio ${partOf(path)}`);
  expect(await endSpeech(partOf(path))).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe('Good');
  // Ctrl-C ends the program that speaks, too, so the speech may have got its name after the command was printed.
  expect(await endSpeech(partOf(path))).toBe(path);
  await expect(endSpeech(join(speechDir, 'gone.part'))).rejects.toMatchObject({ code: 'BAD_AUDIO' });
  writeFileSync(join(speechDir, 'b.part'), 'old');
  // Its job may not be stored yet: another command is about to do that.
  await removeOldSpeeches({ speechDir }, new Set([path]));
  expect(readdirSync(speechDir)).toEqual(['a', 'b.part']);
  const longAgo = new Date(Date.now() - 48 * 3_600_000);
  for (const name of ['a', 'b.part']) utimesSync(join(speechDir, name), longAgo, longAgo);
  await removeOldSpeeches({ speechDir }, new Set([path]));
  expect(readdirSync(speechDir)).toEqual(['a']);
});
