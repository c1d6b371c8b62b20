import { readFile } from 'node:fs/promises';
import { passed, warned, type CheckResult } from '../check.ts';

const LIMITS = '/proc/sys/fs/inotify';
/** One watch a folder below input/; a desktop's editors use thousands of them. */
const FEW_WATCHES = 8192;
const FEW_INSTANCES = 64;

/** Whether the folder can be watched. Without, new files are found by the rescan, up to a minute later. */
export async function checkInotifyLimits(folder = LIMITS): Promise<CheckResult> {
  const read = async (name: string) => Number(await readFile(`${folder}/${name}`, 'utf8'));
  const watches = await read('max_user_watches');
  const instances = await read('max_user_instances');
  const found = `${watches} watches, ${instances} instances a user`;
  if (watches >= FEW_WATCHES && instances >= FEW_INSTANCES) return passed(found);
  return warned(
    found,
    'Raise them: sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512.',
  );
}
