import { DecoderChoice } from '../../media/decode/hardware-decoders.ts';
import { outputColor } from '../../media/decode/color-conversion.ts';
import { EncoderChooser } from '../../media/encode/encoder-chooser.ts';
import { whyNotNvenc } from '../../media/encode/try-nvenc.ts';
import { hardwareReason } from '../../domain/hardware-reason.ts';
import { outputTiming } from '../../media/encode/output-timing.ts';
import type { FrameFiles } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { tryWithPermit } from '../encoder-permit.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from '../prepare/assert-unchanged.ts';
import { speechCopyOf } from '../prepare/copy-speech.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { DecodeStage } from './decode-stage.ts';
import { EncodeStage } from './encode-stage.ts';

export function createDecodeStage(
  context: JobContext,
  { media, index, formats }: PreparedJob,
  files: FrameFiles,
): DecodeStage {
  const { job, settings, log, signal } = context;
  const choice = new DecoderChoice(settings.decoder.hardware, media, index, (sentence) => log.info(sentence));
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  const onNote = (sentence: string): void => log.warn(sentence);
  const assertSource = (): Promise<void> => assertUnchanged(job, signal, speechCopyOf(context));
  const decoder = { format: formats.input, choice, maxPixels, signal, onNote, assertSource };
  return new DecodeStage({ media, index, formats, files, log, decoder });
}

export function createEncodeStage(
  context: JobContext,
  { media, index, formats, plan }: PreparedJob,
  folder: JobFolder,
): EncodeStage {
  const { num, den } = formats.outputAspect;
  const segment = {
    format: formats.output,
    timing: outputTiming(index, media),
    color: outputColor(media.video),
    hdr: media.video.hdr,
    sampleAspectRatio: `${num}/${den}`,
  };
  const { nvenc, softwareFallback } = context.settings.encoder;
  const chooser = new EncoderChooser({
    codec: plan.codec,
    nvenc,
    // NVENC is used for 4:2:0 only, and the segments of a GIF are 4:4:4.
    softwareFallback: softwareFallback || plan.container === 'gif',
    now: Date.now,
    tryNvenc: async () => {
      if (media.video.hdr !== null) return hardwareReason('hdr');
      const reason = await tryWithPermit(context, () =>
        whyNotNvenc(plan.codec, formats.output, plan.encoder, context.signal),
      );
      if (reason?.code === 'permits-taken') context.encoderSemaphore.fellBack();
      return reason;
    },
    onChoice: (sentence) => context.log.info(sentence),
  });
  return new EncodeStage({ context, folder, chooser, encoder: plan.encoder, segment });
}
