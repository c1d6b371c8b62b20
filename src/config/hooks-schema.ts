import { z } from 'zod';

const WEBHOOK_EXPECTED = 'expected an address such as https://ntfy.sh/my-topic, without a user name';

function isWebhook(text: string): boolean {
  if (text === '') return true;
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/** What runs when a job ends. */
export const Hooks = z
  .strictObject({
    done: z.array(z.string().min(1)).default([]).meta({
      description:
        "program to run when a job is done, with its arguments, such as [notify-send, Framekiln, '{text}']; arguments may contain {id}, {state}, {name}, {source}, {output}, {code}, {message} and {text}",
    }),
    failed: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'program to run when a job has failed permanently; like hooks.done' }),
    timeoutSeconds: z
      .number()
      .min(1)
      .max(3600)
      .default(60)
      .meta({ description: 'seconds after which the program of a hook is killed' }),
    webhook: z.string().default('').refine(isWebhook, WEBHOOK_EXPECTED).meta({
      description:
        'address (http or https) that gets a signed POST request when a job is done or has failed permanently; empty for none',
    }),
    webhookBody: z.string().default('').meta({
      description:
        'body of the webhook, such as {text} for ntfy; may contain the same placeholders as hooks.done; if empty, JSON with all fields is sent',
    }),
  })
  .prefault({});
