import { Command, InvalidArgumentError, Option } from 'commander';
import { cloudVariables } from '../config/environment.ts';
import { ConfigurationError } from '../domain/errors.ts';
import type { Cli } from './cli.ts';
import type { ClusterWorkerOptions } from './cluster-worker.ts';
import type { QueueWorkerOptions } from './queue-worker.ts';

type WorkerOptions = QueueWorkerOptions & ClusterWorkerOptions;

/**
 * `framekiln worker`: works for others, either for a queue of Amazon SQS or for the cluster of another machine. What the other
 * one needs is not loaded.
 */
export function workerCommand(cli: Cli): Command {
  const command = new Command('worker')
    .description('Process videos for others: jobs from a queue (--queue) or batches of a cluster (--cluster)')
    .option('--once', 'exit when no work waits');
  for (const option of [...queueOptions(), ...clusterOptions()]) command.addOption(option);
  return command.action(async (_, self: Command) => {
    const options = self.optsWithGlobals<WorkerOptions>();
    if (options.cluster !== undefined) {
      const { runClusterWorker } = await import('./cluster-worker.ts');
      return runClusterWorker(cli, options);
    }
    if (options.queue === undefined && cloudVariables().queueUrl === null) {
      const fault = 'framekiln worker needs --queue URL (or SQS_QUEUE_URL) or --cluster.';
      throw new ConfigurationError(fault, [fault]);
    }
    const { runQueueWorker } = await import('./queue-worker.ts');
    return runQueueWorker(cli, options);
  });
}

function queueOptions(): Option[] {
  return [
    new Option(
      '--queue <url>',
      'URL of a queue of Amazon SQS; repeat it for a queue that is used while the first one is empty (default: SQS_QUEUE_URL)',
    ).argParser(collect),
    new Option(
      '--allow-bucket <name>',
      'bucket that messages may name beside S3_BUCKET_NAME (repeatable)',
    ).argParser(collect),
    new Option(
      '--spot',
      'hand the job over when AWS announces that it takes this instance away: a spot instance, or one that its group no longer needs',
    ),
    new Option('--price-per-hour <usd>', 'price of this machine, for the cost of each job').argParser(price),
    new Option('--metrics <form>', 'print metrics: emf for CloudWatch’s embedded metric format').argParser(
      metricsForm,
    ),
  ];
}

function clusterOptions(): Option[] {
  return [
    new Option(
      '--cluster [database]',
      'PostgreSQL database of a cluster (default: that of the cluster that this home has joined)',
    ).conflicts(['queue', 'allowBucket', 'spot', 'pricePerHour', 'metrics']),
    new Option('--store <folder>', 'path of the cluster’s shared folder on this machine').conflicts('queue'),
    new Option(
      '--name <name>',
      'name of this worker in logs and in `cluster status` (default: host name and process ID)',
    ).conflicts('queue'),
  ];
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function price(text: string): number {
  const usd = Number(text);
  if (!(usd >= 0) || text.trim() === '') throw new InvalidArgumentError('It must be a number of US dollars.');
  return usd;
}

function metricsForm(text: string): 'emf' {
  if (text !== 'emf') throw new InvalidArgumentError('It must be emf.');
  return text;
}
