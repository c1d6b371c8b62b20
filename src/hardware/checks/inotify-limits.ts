import { readFile } from 'node:fs/promises';
import { passed, warned, type CheckResult } from '../check.ts';

const LIMITS = '/proc/sys/fs/inotify';
/** Each folder in input/ takes one watch; editors on a desktop use thousands. */
const FEW_WATCHES = 8192;
const FEW_INSTANCES = 64;

/** Checks that the input folder can be watched; otherwise new files are found by the next scan, up to a minute later. */
export async function checkInotifyLimits(folder = LIMITS): Promise<CheckResult> {
  const read = async (name: string) => Number(await readFile(`${folder}/${name}`, 'utf8'));
  const watches = await read('max_user_watches');
  const instances = await read('max_user_instances');
  const found = `${watches} watches and ${instances} instances per user`;
  if (watches >= FEW_WATCHES && instances >= FEW_INSTANCES) return passed(found);
  return warned(
    found,
    'Raise the limits: sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512',
  );
}
