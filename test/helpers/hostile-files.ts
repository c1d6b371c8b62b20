import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ffmpeg, makeClip } from './clips.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';

/** Files with the name of a video, whose text makes a careless ffmpeg open other files or the network. */
export function playlists(canary: string, url: string): Readonly<Record<string, string>> {
  return {
    'hls.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${canary}\n#EXTINF:1,\n${url}/hls.ts\n#EXT-X-ENDLIST\n`,
    'concat.mkv': `ffconcat version 1.0\nfile '${canary}'\nfile '${url}/concat.mp4'\n`,
    'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${url}/dash.mp4</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>`,
    'session.avi': `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    'rtsp.mov': `rtsptext\nrtsp://127.0.0.1/x\n`,
    'smooth.ts': `<ASX version="3.0"><Entry><Ref href="${url}/asx.wmv"/></Entry></ASX>`,
    'subtitles.mkv': `[Script Info]\n; ${canary}\n[Events]\n`,
    'text.mp4': 'This is a letter, not a film.\n'.repeat(100),
    'shell.mp4': `#!/bin/sh\ncat ${canary}\n`,
    'empty.mp4': '',
  };
}

/** Small files that need much to decode: a large image, a long duration, a high frame rate, many streams. */
export function makeBombs(folder: string): string[] {
  const bomb = (name: string, ...args: string[]): string => {
    const path = join(folder, name);
    ffmpeg(...args, path);
    return path;
  };
  const tiny = makeClip(join(folder, 'seed.mkv'), { frames: 2, width: 16, height: 16, audio: false });
  return [
    bomb('size.mp4', '-f', 'lavfi', '-i', 'color=size=8192x8192', '-frames:v', '1', '-preset', 'ultrafast'),
    bomb('size.mkv', '-f', 'lavfi', '-i', 'color=size=16000x9000', '-frames:v', '1', '-c:v', 'mjpeg'),
    bomb('time.mkv', '-i', tiny, '-c', 'copy', '-bsf:v', "setts=ts='N*3600000*30'", '-y'),
    bomb(
      'rate.mkv',
      ...['-f', 'lavfi', '-i', 'color=size=16x16:rate=1000', '-frames:v', '2000', '-c:v', 'mjpeg'],
    ),
    bomb(
      'streams.mkv',
      '-i',
      tiny,
      ...Array.from({ length: 250 }, () => ['-map', '0:v']).flat(),
      '-c',
      'copy',
    ),
  ];
}

/** Copies a file and flips some of its bits, which the seed determines. */
export function flipBits(from: string, to: string, seed: number): string {
  const bytes = Buffer.from(readFileSync(from));
  const random = seededRandom(seed);
  const flips = 1 + Math.floor(random() * 40);
  for (let i = 0; i < flips; i++) {
    // Half of them in the headers, where they do the most damage.
    const reach = random() < 0.5 ? Math.min(2048, bytes.length) : bytes.length;
    const at = Math.floor(random() * reach);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  writeFileSync(to, bytes);
  return to;
}
