// What is measured inside a page; checks.mjs puts this into it. Each function gives its faults as lines to read.

(() => {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])";
  const LEAST_CONTRAST = 4.5; // WCAG 2.2, 1.4.3
  const TOLERANCE_PX = 1;

  const name = (element) => {
    const text = (element.innerText ?? "").trim().replace(/\s+/g, " ").replace(/\d+:\d+/, "0:00").slice(0, 30);
    const what = element.id ? `#${element.id}` : `${element.localName}${element.className ? `.${element.className}` : ""}`;
    return text === "" ? what : `${what} “${text}”`;
  };

  const isVisible = (element) => {
    const { visibility } = getComputedStyle(element);
    return visibility === "visible" && element.getClientRects().length > 0 && element.checkVisibility?.() !== false;
  };

  /** What can be used now: the page, or the dialog that is open over it. */
  const scope = () => document.querySelector("dialog:modal") ?? document.body;

  const controls = () =>
    [...scope().querySelectorAll(CONTROLS)].filter((element) => isVisible(element) && !element.disabled);

  const ancestors = function* (element) {
    for (let one = element; one !== null; one = one.parentElement) {
      yield one;
    }
  };

  const isInside = (inner, outer, tolerance = TOLERANCE_PX) =>
    inner.left >= outer.left - tolerance &&
    inner.right <= outer.right + tolerance &&
    inner.top >= outer.top - tolerance &&
    inner.bottom <= outer.bottom + tolerance;

  const windowBox = () => ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });

  /** Where the page and its parts are scrolled to, and how to put that back. */
  function keepScroll() {
    const kept = [...document.querySelectorAll("*")]
      .filter(({ scrollTop, scrollLeft }) => scrollTop !== 0 || scrollLeft !== 0)
      .map((element) => [element, element.scrollTop, element.scrollLeft]);
    return () => {
      for (const element of document.querySelectorAll("*")) {
        const [, top = 0, left = 0] = kept.find(([one]) => one === element) ?? [];
        if (element.scrollTop !== top || element.scrollLeft !== left) {
          element.scrollTo({ top, left, behavior: "instant" });
        }
      }
    };
  }

  // Controls.

  /** Points of a box that lie in it even where it is round. */
  const pointsOf = ({ left, top, width, height }) =>
    [[0.5, 0.5], [0.16, 0.16], [0.84, 0.16], [0.16, 0.84], [0.84, 0.84]].map(([x, y]) => {
      return [left + x * width, top + y * height];
    });

  /** An ancestor that only a script can scroll, and that has been for this element to be seen. */
  const hiddenScroller = (element) =>
    [...ancestors(element.parentElement)].find((one) => {
      const { overflowX, overflowY } = getComputedStyle(one);
      const isRoot = one === document.documentElement || one === document.body;
      return (
        (/hidden|clip/.test(overflowY) && one.scrollTop !== 0 && !isRoot) ||
        (one.scrollLeft !== 0 && (isRoot || /hidden|clip/.test(overflowX)))
      );
    });

  const scrolls = (element) => {
    const { overflowY } = getComputedStyle(element);
    return /auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight;
  };

  /** What can be seen of an element that is taller than the window, or than the part of the page that scrolls it. */
  function seenBox(element) {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const frames = [...ancestors(element.parentElement)].filter(scrolls).map((one) => one.getBoundingClientRect());
    const windows = frames.concat(windowBox()).filter((frame) => frame.bottom - frame.top < bottom - top);
    const seen = { left, right, top: Math.max(top, ...windows.map((one) => one.top)) };
    seen.bottom = Math.min(bottom, ...windows.map((one) => one.bottom));
    return { ...seen, width: right - left, height: seen.bottom - seen.top };
  }

  function coverFaults(element) {
    const box = seenBox(element);
    if (!isInside(box, windowBox())) {
      const [left, right, top, bottom] = [box.left, box.right, box.top, box.bottom].map(Math.round);
      const where = `${left}…${right} of ${innerWidth} wide, ${top}…${bottom} of ${innerHeight} high`;
      return [`${name(element)} is cut by the window: ${where}`];
    }
    const scroller = hiddenScroller(element);
    if (scroller !== undefined) {
      return [`${name(element)} is out of sight in ${name(scroller)}, which nobody can scroll`];
    }
    const covers = pointsOf(box)
      .map(([x, y]) => document.elementFromPoint(x, y))
      .filter((hit) => hit === null || !element.contains(hit));
    const [cover] = covers;
    return covers.length === 0 ? [] : [`${name(element)} is covered by ${cover === null ? "nothing" : name(cover)}`];
  }

  /** Controls that can't be pressed. `atOnce` names one that must be there without scrolling. */
  function cutControls({ atOnce = null } = {}) {
    const main = atOnce === null ? null : document.querySelector(atOnce);
    const faults = [];
    const isThere = main !== null && isVisible(main) && scope().contains(main);
    if (isThere && !isInside(main.getBoundingClientRect(), windowBox())) {
      faults.push(`${name(main)} is not wholly seen without scrolling`);
    }
    const restore = keepScroll();
    for (const element of controls()) {
      element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
      faults.push(...coverFaults(element));
      restore();
    }
    return faults;
  }

  // Text.

  const textNodes = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode()) {
      const { currentNode: node } = walker;
      const isText = node.data.trim() !== "" && !node.parentElement.closest("select, noscript, script");
      if (isText && isVisible(node.parentElement)) {
        nodes.push(node);
      }
    }
    return nodes;
  };

  const linesOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].filter(({ width, height }) => width > 0 && height > 0);
  };

  /** For those who hear the page only. */
  const isForReaders = (element) => [...ancestors(element)].some((one) => /inset/.test(getComputedStyle(one).clipPath));

  const isTransparent = (color) => /^rgba\(.*, 0\)$|^transparent$/.test(color);

  /** A box that a person sees, or that cuts what is in it. */
  const isBox = (style) =>
    !isTransparent(style.backgroundColor) || style.backgroundImage !== "none" || style.borderTopWidth !== "0px" ||
    style.overflowX !== "visible";

  /** Does a line of text stay in a box, its round corners too? */
  function staysIn(line, element, style) {
    const box = element.getBoundingClientRect();
    const outer = { left: box.left, top: box.top, right: box.right, bottom: box.bottom };
    if (/auto|scroll/.test(style.overflowY)) {
      [outer.top, outer.bottom] = [-Infinity, Infinity];
    }
    if (!isInside(line, outer)) {
      return false;
    }
    const isRound = style.borderTopLeftRadius === "50%";
    if (!isRound) {
      return true;
    }
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const corners = [[line.left, line.top], [line.right, line.top], [line.left, line.bottom], [line.right, line.bottom]];
    return corners.every(([a, b]) => Math.hypot((a - x) / (box.width / 2 + 2), (b - y) / (box.height / 2 + 2)) <= 1);
  }

  /** The lines of a text that can be seen as everything is scrolled now. */
  const seenLines = (node) => {
    const windows = [...ancestors(node.parentElement)].filter(scrolls).map((one) => one.getBoundingClientRect());
    return linesOf(node).filter(({ top, bottom }) => windows.every((one) => top >= one.top - 1 && bottom <= one.bottom + 1));
  };

  function textFaults(node) {
    const element = node.parentElement;
    const lines = seenLines(node);
    for (const one of ancestors(element)) {
      const style = getComputedStyle(one);
      const isPage = one === document.body || one === document.documentElement;
      if (!isPage && isBox(style) && style.display !== "inline" && lines.some((line) => !staysIn(line, one, style))) {
        return [`the text of ${name(element)} bursts ${name(one)}`];
      }
      if (style.position === "fixed" && lines.some((line) => !isInside(line, windowBox()))) {
        return [`the text of ${name(element)} leaves the window`];
      }
    }
    for (const { left, right, top, bottom } of lines) {
      const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      if (hit !== null && !hit.contains(element) && !element.contains(hit)) {
        return [`the text of ${name(element)} is covered by ${name(hit)}`];
      }
    }
    return [];
  }

  /** Text that leaves its box, and a page that is wider than its window. */
  function burstTexts() {
    const restore = keepScroll();
    const faults = textNodes(scope())
      .filter((node) => !isForReaders(node.parentElement))
      .flatMap((node) => {
        node.parentElement.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
        const found = textFaults(node);
        restore();
        return found;
      });
    const { scrollWidth } = document.scrollingElement;
    if (scrollWidth > innerWidth) {
      faults.push(`the page is ${scrollWidth} wide in a window of ${innerWidth}`);
    }
    return faults;
  }

  // Contrast, where axe-core can't tell: over pictures and gradients.

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  /** A colour as CSS writes it, as [red, green, blue, alpha], each from 0 to 1. */
  function parseColor(text) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  }

  const over = ([r, g, b, alpha], ground) => [r, g, b].map((value, i) => value * alpha + ground[i] * (1 - alpha));

  const luminance = (color) => {
    const [r, g, b] = color.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  /** The ground of one element: more than one colour where it is a gradient. */
  const layersOf = ({ backgroundColor, backgroundImage }) => {
    const isGradient = backgroundImage.includes("gradient");
    const stops = isGradient ? (backgroundImage.match(/(rgba?|color|oklab)\([^()]*\)/g) ?? []) : [];
    const ground = parseColor(backgroundColor);
    if (stops.length === 0) {
      return [ground];
    }
    return stops.map(parseColor).map((top) => [...over(top, ground), top[3] + ground[3] * (1 - top[3])]);
  };

  /** What is painted where the middle of an element is, from the top down to a picture, if there is one. */
  function aboveVideo(element) {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const painted = document.elementsFromPoint((left + right) / 2, (top + bottom) / 2);
    const at = painted.findIndex(({ localName }) => localName === "video");
    return at === -1 ? null : painted.slice(0, at);
  }

  /** What may be behind a text, in the worst cases: whatever a picture shows is between black and white. */
  function groundsOf(element) {
    let tops = [(ground) => ground];
    const above = aboveVideo(element);
    for (const one of ancestors(element)) {
      if (above !== null && !above.includes(one)) {
        break;
      }
      const layers = layersOf(getComputedStyle(one));
      if (layers.every(([, , , alpha]) => alpha === 0)) {
        continue;
      }
      tops = tops.flatMap((top) => layers.map((layer) => (ground) => top(over(layer, ground))));
      if (layers.every(([, , , alpha]) => alpha === 1)) {
        break;
      }
    }
    return tops.flatMap((top) => [top([0, 0, 0]), top([1, 1, 1])]);
  }

  function faintTexts() {
    const faults = [];
    for (const element of new Set(textNodes(scope()).map((node) => node.parentElement))) {
      if (isForReaders(element) || element.closest(":disabled")) {
        continue;
      }
      const color = parseColor(getComputedStyle(element).color);
      const worst = Math.min(...groundsOf(element).map((ground) => contrast(over(color, ground), ground)));
      if (worst < LEAST_CONTRAST) {
        faults.push(`${name(element)} has a contrast of ${worst.toFixed(2)} to what may be behind it`);
      }
    }
    return faults;
  }

  // The keyboard.

  /** Give each control a number that the way of the focus is told by. */
  function numberControls() {
    window.numbered = controls().filter((element) => element.tabIndex >= 0);
    return window.numbered.map(name);
  }

  /** Where the focus is, and whether that can be seen: { number, name, hasRing }. */
  function focused() {
    const { activeElement: element } = document;
    const style = getComputedStyle(element);
    const isRing = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const hasRing = isRing && !isTransparent(style.outlineColor);
    return { number: window.numbered.indexOf(element), name: name(element), hasRing };
  }

  window.screenChecks = { cutControls, burstTexts, faintTexts, numberControls, focused };
})();
