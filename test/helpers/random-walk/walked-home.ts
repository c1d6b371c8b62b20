import {
  appendFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../../src/domain/errors.ts';
import type { Job } from '../../../src/domain/job.ts';
import { openQueue } from '../../../src/queue/queue.ts';
import { endWaits } from '../end-waits.ts';
import { filesBelow, MAIN, makeHome, start, type Running } from '../framekiln.ts';
import { Belongings, type Belonging } from './belongings.ts';
import { sha256Of, WALK_SETTINGS, type Content, type Contents } from './contents.ts';
import type { Step, Walk } from './step.ts';

/** A command that takes longer than this hangs. */
const COMMAND_MS = 90_000;

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

/** A home in which a walk happens, with what the walk knows about its files. */
export class WalkedHome {
  readonly home: string;
  readonly belongings = new Belongings();
  /** Finished videos that were seen, by content and scale. */
  readonly finished = new Set<string>();
  /** Finished videos that the person deleted or edited. */
  readonly destroyed = new Set<string>();
  readonly violations: string[] = [];
  readonly #root: string;
  readonly #contents: Contents;
  readonly #checked = new Map<string, string>();
  #daemon: Running | null = null;
  #copies: { readonly belonging: Belonging; readonly fd: number; readonly rest: Buffer }[] = [];

  constructor(root: string, contents: Contents, source: Walk['source']) {
    this.#root = root;
    this.#contents = contents;
    this.home = makeHome(join(root, 'home'), `${WALK_SETTINGS}output: { source: ${source} }\n`);
    for (const folder of ['A', 'B']) mkdirSync(join(root, folder));
  }

  get database(): string {
    return join(this.home, '.framekiln/framekiln.db');
  }

  /** @returns what happened, or null if the step was not possible */
  async take(step: Step): Promise<string | null> {
    let done: string | null = null;
    try {
      done = await this.#take(step);
    } catch (error) {
      // Framekiln has removed the file meanwhile.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.noteOutputs();
    return done;
  }

  async #take(step: Step): Promise<string | null> {
    switch (step.kind) {
      case 'drop':
        return this.#drop(step);
      case 'finish-copy':
        return this.finishCopies();
      case 'replace':
        return this.#replace(step);
      case 'rename':
        return this.#rename(step);
      case 'delete':
        return this.#delete(step);
      case 'sidecar':
        return this.#sidecar(step);
      case 'foreign':
        return this.#foreign(step);
      case 'edit-output':
      case 'delete-output':
        return this.#spoilOutput(step);
      case 'pause':
      case 'resume':
      case 'cancel':
      case 'retry':
        return this.#control(step);
      case 'add':
      case 'run':
        return this.#addOrRun(step);
      case 'kill':
        await this.#daemon?.killGroup();
        return this.#ended();
      case 'stop':
        this.#daemon?.child.kill('SIGTERM');
        await this.#daemon?.ended;
        return this.#ended();
      case 'start':
        if (this.#daemon !== null) return null;
        this.#daemon = start(['start', '--home', this.home]);
        return 'the daemon starts';
      case 'settle':
        return this.#settle();
      case 'wait':
        await delay(step.ms);
        return `${step.ms} ms pass`;
    }
  }

  // Files

  #drop({ how, content: number, folder, stem }: StepOf<'drop'>): string {
    const content = this.#content(number);
    const path = join(this.home, 'input', folder, stem + content.extension);
    mkdirSync(dirname(path), { recursive: true });
    this.#forgetCopyAt(path);
    if (how === 'slowly') {
      const half = content.bytes.length >> 1;
      this.belongings.noteGone();
      rmSync(path, { force: true });
      const fd = openSync(path, 'wx');
      writeSync(fd, content.bytes, 0, half);
      const belonging = this.#own(path, content.bytes.subarray(0, half), content, true);
      this.#copies.push({ belonging, fd, rest: content.bytes.subarray(half) });
    } else this.#write(path, content, how === 'rename');
    return `content ${content.number} → ${this.#short(path)} (${how})`;
  }

  /** Writes a source, either directly or under a second name that is then renamed. */
  #write(path: string, content: Content, byRename: boolean): void {
    this.belongings.noteGone();
    if (byRename) {
      const before = join(this.#root, 'A', `.${basename(path)}`);
      writeFileSync(before, content.bytes);
      renameSync(before, path);
    } else {
      rmSync(path, { force: true });
      writeFileSync(path, content.bytes);
    }
    this.#own(path, content.bytes, content);
  }

  #own(path: string, bytes: Buffer, content: Content, incomplete = false): Belonging {
    return this.belongings.put({ path, sha256: sha256Of(bytes), kind: 'source', content, incomplete });
  }

  /** Writes the rest of each file that is being copied. */
  finishCopies(): string | null {
    const copies = this.#copies;
    this.#copies = [];
    for (const { belonging, fd, rest } of copies) {
      writeSync(fd, rest);
      closeSync(fd);
      belonging.incomplete = false;
      belonging.sha256 = sha256Of(belonging.content?.bytes ?? rest);
    }
    return copies.length === 0 ? null : `${copies.length} copies are complete`;
  }

  #forgetCopyAt(path: string): void {
    const own = this.belongings.at(path);
    for (const { belonging, fd } of this.#copies) if (belonging === own) closeSync(fd);
    this.#copies = this.#copies.filter(({ belonging }) => belonging !== own);
  }

  #replace({ how, file, content: number }: StepOf<'replace'>): string | null {
    const old = this.#source(file);
    if (old === null || old.incomplete) return null;
    const content = this.#content(number);
    // The name keeps its extension; probing decides what a file is.
    if (how === 'by rename') this.#write(old.path, content, true);
    else {
      const fd = openSync(old.path, 'r+');
      ftruncateSync(fd);
      writeSync(fd, content.bytes);
      closeSync(fd);
      this.#own(old.path, content.bytes, content);
    }
    return `content ${content.number} → ${this.#short(old.path)} (${how})`;
  }

  #rename({ file, folder, stem }: StepOf<'rename'>): string | null {
    const own = this.#source(file);
    if (own === null) return null;
    const from = own.path;
    const to = join(this.home, 'input', folder, stem + from.slice(from.lastIndexOf('.')));
    if (to === from) return null;
    mkdirSync(dirname(to), { recursive: true });
    this.#forgetCopyAt(to);
    renameSync(from, to);
    this.belongings.move(own, to);
    return `${this.#short(from)} → ${this.#short(to)}`;
  }

  #delete({ file }: StepOf<'delete'>): string | null {
    const own = this.#source(file);
    if (own === null) return null;
    this.#forgetCopyAt(own.path);
    rmSync(own.path);
    this.belongings.drop(own);
    return `deletes ${this.#short(own.path)}`;
  }

  #sidecar({ file, scale }: StepOf<'sidecar'>): string | null {
    const source = this.#source(file);
    if (source === null) return null;
    const path = `${source.path}.recipe.yaml`;
    const own = this.belongings.at(path);
    if (scale === null) {
      if (own === undefined) return null;
      rmSync(path);
      this.belongings.drop(own);
      return `deletes ${this.#short(path)}`;
    }
    const text = Buffer.from(`scale: ${scale}\n`);
    writeFileSync(path, text);
    this.belongings.put({
      ...{ path, sha256: sha256Of(text), kind: 'sidecar', content: null, incomplete: false },
    });
    return `${this.#short(path)}: scale ${scale}`;
  }

  #foreign({ content: number, isVideo, folder, stem }: StepOf<'foreign'>): string | null {
    const content = this.#content(number);
    const path = join(this.home, 'output', folder, stem + content.extension);
    const bytes = isVideo ? content.bytes : Buffer.from(`a foreign file ${number}\n`);
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(path, bytes, { flag: 'wx' });
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return null;
      throw error;
    }
    const sha256 = sha256Of(bytes);
    this.belongings.put({ path, sha256, kind: 'foreign file', content: null, incomplete: false });
    return `foreign file ${this.#short(path)}`;
  }

  #spoilOutput({ kind, file }: StepOf<'edit-output' | 'delete-output'>): string | null {
    const paths = this.#outputs();
    const path = paths[file % paths.length];
    if (path === undefined) return null;
    const what = this.#contents.identify(path);
    if (what !== null) this.destroyed.add(what);
    if (kind === 'delete-output') {
      rmSync(path);
      return `deletes ${this.#short(path)}`;
    }
    appendFileSync(path, 'edited');
    const sha256 = sha256Of(readFileSync(path));
    this.belongings.put({ path, sha256, kind: 'edited output', content: null, incomplete: false });
    return `edits ${this.#short(path)}`;
  }

  // Commands

  #control({ kind, job }: StepOf<'pause' | 'resume' | 'cancel' | 'retry'>): string | null {
    const jobs = this.jobs();
    if (job === null) return this.command(kind);
    const chosen = jobs[job % jobs.length];
    return chosen === undefined ? null : this.command(kind, String(chosen.id));
  }

  #addOrRun({ kind, content: number, folder, stem, scale }: StepOf<'add' | 'run'>): string {
    const content = this.#content(number);
    const path = join(this.#root, folder, stem + content.extension);
    this.#write(path, content, false);
    return `content ${content.number}: ${this.command(kind, path, '--model', 'lanczos', '--scale', String(scale))}`;
  }

  /** Runs a command of the program to its end. */
  command(...args: string[]): string {
    const { status, error } = spawnSync(process.execPath, [MAIN, ...args, '--home', this.home], {
      ...{ encoding: 'utf8', timeout: COMMAND_MS, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    if (error !== undefined || status === null || status === 70)
      this.violations.push(`C: framekiln ${args.join(' ')} hangs or has crashed (status ${status})`);
    return `framekiln ${args.map((each) => this.#short(each)).join(' ')} (status ${status})`;
  }

  #ended(): string | null {
    if (this.#daemon === null) return null;
    this.#daemon = null;
    return 'the daemon ends';
  }

  /** Waits until a running daemon has nothing to do, for a few seconds at most. */
  async #settle(): Promise<string | null> {
    if (this.#daemon === null) return null;
    const giveUpAtMs = Date.now() + 8_000;
    let idleSinceMs = Date.now();
    while (Date.now() < giveUpAtMs && Date.now() - idleSinceMs < 1_500) {
      if (this.jobs().some(({ state }) => state === 'queued' || state === 'running'))
        idleSinceMs = Date.now();
      await delay(100);
    }
    return 'the daemon settles';
  }

  // What is there

  jobs(): Job[] {
    if (!existsSync(this.database)) return [];
    const queue = openQueue(this.database);
    try {
      return queue.jobs.listJobs();
    } finally {
      queue.close();
    }
  }

  /** Makes queued jobs due now, instead of waiting until they are. */
  endWaits(): void {
    endWaits(this.home);
  }

  /** Identifies finished videos that are new. Whatever has a final name must be complete. */
  noteOutputs(): void {
    for (const path of this.#outputs()) {
      try {
        const { ino, mtimeMs, size } = statSync(path);
        const signature = `${ino} ${mtimeMs} ${size}`;
        if (this.#checked.get(path) === signature) continue;
        const what = this.#contents.identify(path);
        const isSame = statSync(path).ino === ino;
        if (!isSame) continue;
        this.#checked.set(path, signature);
        if (what === null)
          this.violations.push(`B: ${this.#short(path)} shows none of the sources completely`);
        else this.finished.add(what);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error; // Replaced meanwhile.
      }
    }
  }

  /** Paths in `output/` that are not the person's, without temporary files. */
  #outputs(): string[] {
    const folder = join(this.home, 'output');
    return filesBelow(folder)
      .filter((path) => !basename(path).startsWith('.'))
      .map((path) => join(folder, path))
      .filter((path) => this.belongings.at(path) === undefined)
      .sort();
  }

  /** Content and scale of each finished video that is there now, the person's own files left out. */
  finishedNow(): Set<string> {
    const found = this.#outputs().map((path) => this.#contents.identify(path));
    return new Set(found.filter((each) => each !== null));
  }

  #source(number: number): Belonging | null {
    const all = this.belongings.sources();
    return all[number % all.length] ?? null;
  }

  #content(number: number): Content {
    const { all } = this.#contents;
    const content = all[number % all.length];
    if (content === undefined) throw new Error('There are no contents.');
    return content;
  }

  #short(path: string): string {
    return path.startsWith(this.#root) ? path.slice(this.#root.length + 1).replace(/^home\//, '') : path;
  }
}
