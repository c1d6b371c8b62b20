import type { JobPlan } from '../../domain/job.ts';
import type { Chroma, FrameFormat, MediaInfo } from '../../domain/media-info.ts';
import type { YuvConversion } from '../../domain/yuv-conversion.ts';
import { canConvertToYuv } from '../../inference/yuv-converter.ts';
import { outputColor } from '../../media/decode/color-conversion.ts';
import { yuvConversion } from '../../media/encode/yuv-conversion.ts';
import type { PipelineFormats } from '../../pipelines/frame-pipeline.ts';

/**
 * How a new job writes the frames of its pipeline: as YUV where the CPU addon can convert them, else as they are. See
 * docs/decisions/0108-frames-in-yuv.md.
 *
 * @param output format of the frames that the pipeline gives
 */
export function chooseWrittenAs(
  output: FrameFormat,
  { video }: Pick<MediaInfo, 'video'>,
  chroma: Chroma,
): Pick<JobPlan, 'writtenAs'> {
  const conversion = yuvConversion(output, outputColor(video), chroma);
  return conversion === null || !canConvertToYuv() ? {} : { writtenAs: conversion.pixelFormat };
}

/** The conversion that the plan of a job asks for, and the formats of its frame files with it. */
export function withWrittenFormat(
  formats: PipelineFormats,
  { video }: Pick<MediaInfo, 'video'>,
  { writtenAs, encoder }: JobPlan,
): { readonly formats: PipelineFormats; readonly toYuv?: YuvConversion } {
  if (writtenAs === undefined) return { formats };
  const toYuv = yuvConversion(formats.output, outputColor(video), encoder.chroma ?? '420');
  if (toYuv === null) return { formats };
  return { formats: { ...formats, output: { ...formats.output, pixelFormat: toYuv.pixelFormat } }, toYuv };
}
