// The title and the icon of the browser tab, which show the progress.
import { nameAndFolder } from './format.js';
import { connection, live, pauseReason } from './state.js';

let drawn = '';

/** Shows the progress of the first running job. */
export function showInTab() {
  const job = live.value?.running[0];
  const percent = job?.percent ?? null;
  if (connection.value === 'gone') document.title = 'Not reachable – Framekiln';
  else if (pauseReason.value !== null) document.title = 'Paused – Framekiln';
  else if (percent === null) document.title = 'Framekiln';
  else document.title = `${percent} % ${nameAndFolder(job.file).name} – Framekiln`;
  drawIcon(connection.value === 'gone' ? null : percent);
}

function drawIcon(percent) {
  const key = String(percent);
  if (drawn === key) return;
  drawn = key;
  const link = document.querySelector('link[rel=icon]');
  if (percent === null) {
    link.href = 'assets/icon.svg';
    return;
  }
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const context = canvas.getContext('2d');
  const arc = (color, share) => {
    context.beginPath();
    context.arc(32, 32, 26, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * share);
    context.strokeStyle = color;
    context.lineWidth = 10;
    context.stroke();
  };
  arc('#8886', 1);
  arc('#f0883e', percent / 100);
  context.fillStyle = '#f0883e';
  context.font = 'bold 26px sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(String(percent), 32, 34);
  link.href = canvas.toDataURL('image/png');
}
