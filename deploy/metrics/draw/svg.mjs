// The little that is needed to write SVG: elements as text.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escape(text) {
  return String(text).replace(/[&<>"]/g, (character) => ESCAPES[character]);
}

/** Coordinates need no more: a tenth of a pixel is seen by nobody, and pictures stay small. */
export function round(number) {
  return Math.round(number * 10) / 10;
}

/** An element; numbers among its attributes are rounded, and those that are undefined left out. */
export function element(name, attributes, content = "") {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escape(value)}"`)
    .join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

export function text(x, y, words, attributes = {}) {
  return element("text", { x, y, ...attributes }, escape(words));
}

/** A whole picture, on a ground of its own: pages may be dark. */
export function picture(width, height, title, style, ground, content) {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${round(height)}"` +
    ` viewBox="0 0 ${round(width)} ${round(height)}" role="img">\n` +
    `<title>${escape(title)}</title>\n<style>${style}</style>\n` +
    `${element("rect", { width, height, fill: ground, rx: 6 })}\n${content.join("\n")}\n</svg>\n`
  );
}
