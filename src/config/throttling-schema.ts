import { z } from 'zod';

const TIME_OF_DAY = '(?:(?:[01]\\d|2[0-3]):[0-5]\\d|24:00)';
const QuietHours = z
  .string()
  .regex(new RegExp(`^${TIME_OF_DAY}-${TIME_OF_DAY}$`), 'expected a time span such as 22:00-07:30')
  .refine(
    (span) => span.slice(0, 5) !== span.slice(6),
    'start and end are equal; for the whole day use 00:00-24:00',
  );

/** When processing pauses for the sake of other things. */
export const Throttling = z
  .strictObject({
    quietHours: z.array(QuietHours).default([]).meta({
      description: 'local times at which processing pauses, such as [22:00-07:30, 12:00-13:00]',
    }),
    inhibitSleep: z
      .boolean()
      .default(true)
      .meta({ description: 'keep the machine awake with systemd-inhibit while jobs are processed' }),
    gpuBusyPercent: z.int().min(0).max(100).default(30).meta({
      description:
        'processing pauses while another program uses at least this percentage of the GPU; 0 never pauses',
    }),
    gpuHottestCelsius: z.int().min(0).max(120).default(90).meta({
      description:
        'processing pauses when the GPU reaches this temperature in °C, until the GPU is 10 °C cooler; 0 never pauses',
    }),
  })
  .prefault({});
