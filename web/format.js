// The same formats as in the log and the CLI.

/** A duration in its two largest units: `44 s`, `2 min 44 s`, `3 h 05 min`, `2 d 04 h`. */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** A duration that changes slowly: without seconds from ten minutes on. */
export function roughDuration(seconds) {
  if (seconds < 600) return duration(seconds);
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return duration(seconds);
}

export function bytes(count) {
  if (count === 0) return '0 kB';
  if (count >= 1e12) return `${(count / 1e12).toFixed(1)} TB`;
  if (count >= 1e9) return `${(count / 1e9).toFixed(count < 1e10 ? 1 : 0)} GB`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB`;
  return `${Math.max(1, Math.round(count / 1e3))} kB`;
}

/** A rate with three significant digits. */
export function rate(perSecond) {
  return perSecond.toFixed(perSecond < 10 ? 2 : perSecond < 100 ? 1 : 0);
}

export function number(value) {
  return value.toLocaleString('en').replaceAll(',', '\u202f');
}

export function counted(count, noun, plural = `${noun}s`) {
  return `${number(count)} ${count === 1 ? noun : plural}`;
}

/** The finished frames of a job; null if they are not counted yet. */
export function framesOf({ framesTotal, framesDone, stage }) {
  if (framesTotal === null) return null;
  return `${number(framesDone)} of ${number(framesTotal)}${stage === 'analysis' ? ' analysed' : ''}`;
}

/** A point in time: the clock time, with the day unless it is today. */
export function clock(ms) {
  const at = new Date(ms);
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const days = Math.round((midnight(at) - midnight(new Date())) / 86_400_000);
  if (days === 0) return time;
  if (days === 1) return `tomorrow ${time}`;
  if (days === -1) return `yesterday ${time}`;
  const day = at.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  return `${day} ${time}`;
}

function midnight(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** The parts of a recipe, for chips. */
export function recipeParts(recipe) {
  const model = recipe.model.split('/').at(-1);
  const device = recipe.device === 'auto' ? [] : [recipe.device.toUpperCase()];
  if (recipe.pipeline === 'dual-face')
    return ['dual-face', `${recipe.width}×${recipe.height}`, recipe.layout, ...device];
  if (recipe.pipeline === 'lip-sync') return ['lip-sync', model, ...device];
  return [`${recipe.scale}×`, model, ...device];
}

/** The name of a file, and the folder that it is in. */
export function nameAndFolder(file) {
  const at = file.lastIndexOf('/');
  return { name: file.slice(at + 1), folder: at < 0 ? '' : file.slice(0, at) };
}

function two(value) {
  return String(value).padStart(2, '0');
}
