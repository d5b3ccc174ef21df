// What every part of the view needs.

export const byId = (id) => document.getElementById(id);

/** What a screen reader announces when it changes must be left alone when it has not. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A hue of its own for each name, so that faces can be told apart at a glance. */
function hueOf(name) {
  let hue = 0;
  for (const character of name) {
    hue = (hue * 31 + character.codePointAt(0)) % 360;
  }
  return hue;
}

/** Draw someone's face: the letter and the colour of the name. */
export function drawFace(element, name) {
  setText(element, ([...name.trim()][0] ?? "").toUpperCase());
  element.style.setProperty("--hue", hueOf(name));
}

/** A copy of one of the page's icons. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}
