/** What is drawn on, and when it is drawn anew. */

/**
 * Has something drawn in the next frame, once however often that is asked for: by who uses it, or because its box is of
 * another size or the colours are others.
 *
 * @param {HTMLElement} box
 * @param {() => void} draw
 * @returns {() => void} to ask for it.
 */
export function redrawing(box, draw) {
  let frame = null;
  const wake = () => {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      draw();
    });
  };
  new ResizeObserver(wake).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", wake);
  return wake;
}

/** An empty sheet as large as a canvas is shown, and a pen whose unit is a pixel of the page. */
export function sheet(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pen = canvas.getContext("2d");
  const [across, down] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height, style: getComputedStyle(canvas) };
}
