import { withoutFullStop } from '../../lib/without-full-stop.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { ALERT_RULES, type AlertFacts, type AlertRule } from './alert-rules.ts';

const LOOK_EVERY_MS = 15_000;

/** Something that needs attention, for the page. */
export interface Alert {
  readonly code: string;
  readonly level: 'info' | 'warning' | 'error';
  /** One sentence. */
  readonly message: string;
  readonly remedy: string;
}

interface Exceeded {
  readonly rule: AlertRule;
  readonly sinceMs: number;
  readonly isActive: boolean;
}

/**
 * Evaluates the rules every 15 seconds. States of what a rule finds: exceeded → active when it has been found for long enough,
 * which is logged; exceeded or active → gone with the first look that does not find it, which is logged after active. A look
 * that fails changes nothing, and one at which the GPUs could not be measured changes nothing for the rules about GPUs.
 */
export class AlertWatch {
  readonly #read: () => Promise<AlertFacts>;
  readonly #log: Logger;
  readonly #now: () => number;
  #exceeded: ReadonlyMap<string, Exceeded> = new Map();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  /** @param now milliseconds on a monotonic clock */
  constructor(read: () => Promise<AlertFacts>, log: Logger, now: () => number) {
    this.#read = read;
    this.#log = log;
    this.#now = now;
  }

  get active(): readonly Alert[] {
    return [...this.#exceeded].flatMap(([what, { rule, isActive }]) =>
      isActive
        ? [{ code: rule.code, level: rule.level, message: sentence(what, rule), remedy: rule.remedy }]
        : [],
    );
  }

  start(): void {
    this.#timer = setInterval(() => void this.look().catch(() => undefined), LOOK_EVERY_MS);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Evaluates the rules once. A look that hangs is joined by no other. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#judge(await this.#read());
    } finally {
      this.#isLooking = false;
    }
  }

  #judge(facts: AlertFacts): void {
    const before = this.#exceeded;
    const found = ALERT_RULES.flatMap((rule) => {
      const unchanged = [...before].filter(([, exceeded]) => exceeded.rule === rule);
      return (
        rule.find(facts, rule.limit)?.map((what): [string, Exceeded] => {
          const sinceMs = before.get(what)?.sinceMs ?? this.#now();
          return [what, { rule, sinceMs, isActive: this.#now() - sinceMs >= rule.forMinutes * 60_000 }];
        }) ?? unchanged
      );
    });
    this.#exceeded = new Map(found);
    for (const [what, { rule, isActive }] of found)
      if (isActive && before.get(what)?.isActive !== true)
        this.#log[rule.level === 'info' ? 'info' : 'warn'](
          `alert: ${withoutFullStop(sentence(what, rule))}; ${withoutFullStop(lowerFirst(rule.remedy))}`,
        );
    for (const [what, { isActive }] of before)
      if (isActive && !this.#exceeded.has(what)) this.#log.info(`alert ended: ${what}`);
  }
}

function sentence(what: string, { forMinutes }: AlertRule): string {
  return `${what[0]?.toUpperCase() ?? ''}${what.slice(1)} (for ${forMinutes} minutes or longer).`;
}

function lowerFirst(text: string): string {
  return `${text[0]?.toLowerCase() ?? ''}${text.slice(1)}`;
}
