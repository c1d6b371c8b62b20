/** What each setting means, for `framekiln.example.yaml` and `framekiln config`. Ranges are told by the schema. */
export const SETTING_TEXTS: Readonly<Record<string, string>> = {
  'intake.settleSeconds': 'a file is taken when it has not changed for so long',
  'intake.rescanSeconds': 'the input folder is read whole this often, whatever the watcher said',
  'intake.polling': 'ask instead of being told: for network shares, which send no events',
  'intake.rejected':
    'what happens to a file that is rejected; quarantine: it is moved into quarantine/, with the reason beside it',
  'intake.folders': 'recipes of folders below input/, by name',
  'recipe.pipeline': 'what is done with a file for which nothing else is said',
  'recipe.preset': 'a tier (cpu 2x, cpu 4x, gpu 2x, gpu 4x); other keys change it',
  'recipe.model':
    'lanczos, a name of `framekiln models list` (for dual-face a face detector), or the path of an ONNX file',
  'recipe.scale': 'output size over input size',
  'recipe.device': 'what models run on; auto: a GPU where one works',
  'recipe.tile': 'edge of a tile in source pixels; auto: the whole frame where memory allows it',
  'recipe.width': 'of a split screen in pixels, even; dual-face only',
  'recipe.height': 'of a split screen in pixels, even; dual-face only',
  'recipe.layout': 'of a split screen; stacked: the left person above the right one; dual-face only',
  'recipe.detectEvery': 'the face detector looks at every n-th frame; dual-face only',
  'recipe.missing': 'what a pane shows whose person has been gone for long; dual-face only',
  'decoder.hardware':
    'what decodes before the CPU does, such as [nvdec, vaapi]; []: nothing; the probe finds out what works',
  'encoder.codec': 'of finished videos; auto: HEVC for 10-bit sources, else H.264',
  'encoder.nvenc': 'use an NVIDIA GPU for encoding where a trial works',
  'encoder.sessions': 'encodings that may be open at once on the GPU; the probe counts them',
  'encoder.chroma':
    'how finely colour is stored: 4:2:0 plays everywhere; source keeps 4:2:2 and 4:4:4, in software',
  'encoder.waitSeconds': 'how long an encoding waits for the GPU before software does it',
  'encoder.softwareFallback': 'let software encode what the GPU cannot; else the job waits',
  'encoder.lowLatency': 'quickest settings of the GPU (p1, ull) instead of the best image',
  'encoder.crf': 'lower is better and larger',
  'encoder.preset': 'of libx264 and libx265: slower makes smaller files',
  'streams.max': 'jobs that are worked on at once',
  'streams.batch': 'images of different jobs that a GPU upscales in one go',
  'streams.waitMs': 'how long an image waits for others to go with it',
  'batch.firstFrames': 'frames of the first batch; the first estimate of the time left comes after it',
  'batch.frames': 'frames of every other batch: what a power cut costs at most',
  'workspace.kind': 'where raw frames lie: a tmpfs, /dev/shm, a folder; auto tries them in this order',
  'workspace.memoryFraction': 'share of the free memory that the RAM disk of a job may take',
  'workspace.keepJobFolders': 'keep the segments of finished jobs, to look at them',
  'output.existing': 'what happens to a finished file of that name that is there already',
  'output.source': 'what happens to the source of a finished video; move: into finished/',
  attempts: 'a job that fails so often without progress is set aside',
  'limits.inputMegapixels': 'larger images are rejected',
  'limits.outputMegapixels': 'larger results are rejected',
  'limits.hours': 'longer videos are rejected',
  'limits.framesPerSecond': 'faster videos are rejected',
  'limits.decodableShare': 'a damaged video is rejected when less of it decodes',
  'engine.stallSeconds':
    'a model that gives no frame for so long, and uses no processor, hangs: the worker is started anew',
  'engine.threads': 'threads that a model runs on; 0: as many as there are cores',
  'throttling.quietHours':
    'nothing is worked on at these times of the day, such as [22:00-07:30, 12:00-13:00]',
  'throttling.inhibitSleep':
    'keep the machine from going to sleep while a job is worked on, by systemd-inhibit',
  'throttling.gpuBusyPercent':
    'nothing is worked on while another program takes more of the GPU than this, in percent; 0: never step aside',
  'throttling.gpuHottestCelsius':
    'nothing is worked on from this temperature of the GPU on until it has cooled down by ten degrees; 0: never',
  'log.level': 'how much is written into the log',
};
