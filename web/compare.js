// Two images of one moment, with a divider between them.
import { html } from './html.js';
import { useEffect, useRef, useState } from './preact-hooks.js';

/**
 * @param before, after addresses of the images
 * @param label what they show, for screen readers
 * @param names what the two sides are
 * @param zoom null for whole images, or the point at the centre as shares of width and height, for images pixel for pixel
 */
export function Compare({ before, after, label, names = ['Before', 'After'], zoom = null }) {
  const box = useRef(null);
  const shown = useLoaded(before, after);
  useEffect(() => box.current?.style.setProperty('--at', '50%'), [shown !== null]);
  if (shown === 'none') return html`<div class="compare none"><p>No preview could be made.</p></div>`;
  if (shown === null) return html`<div class="compare none" role="status"><p>Making a preview …</p></div>`;
  const move = ({ target }) => box.current.style.setProperty('--at', `${target.value}%`);
  const ratio = { aspectRatio: `${shown.width} / ${shown.height}` };
  // No wider than its greatest height allows: black bars beside the images would be part of the way of the divider.
  if (zoom === null) ratio.maxWidth = `calc(75vh * ${shown.width} / ${shown.height})`;
  const place = zoom === null ? {} : { objectPosition: `${zoom.x * 100}% ${zoom.y * 100}%` };
  const [left, right] = names;
  return html`<figure class="compare ${zoom === null ? '' : 'zoomed'}" ref=${box} style=${ratio}>
    <img class="after" style=${place} src=${shown.after} alt="${right}: ${label}" draggable=${false} />
    ${
      shown.before !== null &&
      html`<img
          class="before"
          style=${place}
          src=${shown.before}
          alt="${left}: ${label}"
          draggable=${false}
        />
        <span class="divider" aria-hidden="true"></span>
        <figcaption aria-hidden="true"><span>${left}</span><span>${right}</span></figcaption>
        <input
          type="range"
          min="0"
          max="100"
          value="50"
          step="0.5"
          onInput=${move}
          aria-label="Divider between ${left} and ${right}"
        />`
    }
    ${shown.before === null && html`<figcaption class="alone">${right} (no preview of the source)</figcaption>`}
  </figure>`;
}

/** Both images once they are loaded, so that a new pair replaces the old one without a gap; `none` if there is no frame. */
function useLoaded(before, after) {
  const [shown, setShown] = useState(null);
  useEffect(() => {
    let isCurrent = true;
    Promise.allSettled([load(before), load(after)]).then(([source, result]) => {
      if (!isCurrent) return;
      if (result.status === 'rejected') return setShown((old) => old ?? 'none');
      const { naturalWidth: width, naturalHeight: height } = result.value;
      setShown({ before: source.status === 'fulfilled' ? before : null, after, width, height });
    });
    return () => {
      isCurrent = false;
    };
  }, [before, after]);
  return shown;
}

async function load(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}
