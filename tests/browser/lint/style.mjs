// What a style sheet uses that a browser of the list does not know, by MDN's data.
//
// stylelint-no-unsupported-browser-features overlooks color-mix(), light-dark() and `text-wrap: balance`. CSS has two ways
// of its own to say what older browsers get, and both are taken for an answer: `@supports`, and a line above that says the
// same property in words that all know.

import { findAll, generate, parse, walk } from "css-tree";

import { data, strangersTo } from "./support.mjs";

const { "at-rules": atRules, properties, selectors, types } = data.css;
const own = (object, name) => (Object.hasOwn(object ?? {}, name) ? object[name] : undefined);

/** Functions by their name, wherever MDN has them. */
const functions = new Map();
(function gather(node) {
  for (const [name, feature] of Object.entries(node)) {
    if (name !== "__compat" && typeof feature === "object") {
      if (feature.__compat && !functions.has(name)) {
        functions.set(name, feature);
      }
      gather(feature);
    }
  }
})(types);

const UNITS = [
  [/^d(vh|vw|vi|vb|vmin|vmax)$/, types.length.viewport_percentage_units_dynamic],
  [/^s(vh|vw|vi|vb|vmin|vmax)$/, types.length.viewport_percentage_units_small],
  [/^l(vh|vw|vi|vb|vmin|vmax)$/, types.length.viewport_percentage_units_large],
  [/^cq/, types.length.container_query_length_units],
];

const NESTING = ["nesting", selectors.nesting];

const unitFeature = (unit) => own(types.length, unit) ?? UNITS.find(([pattern]) => pattern.test(unit))?.[1];

/** The features of one node of the tree, as pairs of a name and MDN's node; `property` is that of its declaration. */
function featuresOf(node, property) {
  const { type, name } = node;
  const isPrefixed = typeof name === "string" && name.startsWith("-");
  switch (type) {
    case "Declaration":
      return node.property.startsWith("-") ? [] : [[node.property, own(properties, node.property)]];
    case "Identifier":
      return [[`${property}: ${name}`, own(own(properties, property), name)]];
    case "Function":
      return [[`${name}()`, functions.get(name)]];
    case "Dimension":
      return [[node.unit, unitFeature(node.unit)]];
    case "PseudoClassSelector":
    case "PseudoElementSelector":
      return isPrefixed ? [] : [[`:${name}`, own(selectors, name)], ...ofList(node)];
    case "NestingSelector":
      return [NESTING];
    case "Atrule":
      return isPrefixed ? [] : [[`@${name}`, own(atRules, name)]];
    case "Feature":
      return [[`@media (${name})`, own(atRules.media, name)]];
    case "FeatureRange":
      return [["a range in @media", atRules.media.range_syntax]];
    default:
      return [];
  }
}

const ofList = ({ name, children }) =>
  name === "not" && children?.first?.children?.size > 1 ? [[":not() of a list", selectors.not.selector_list]] : [];

/** The faults of a style sheet, as { what, line, message }. */
export function lintStyle(source, browsers) {
  const faults = [];
  const tree = parse(source, {
    positions: true,
    parseCustomProperty: true,
    onParseError: ({ message, line }) => faults.push({ what: "syntax", line, message }),
  });
  const asked = []; // what each @supports around here asks for
  const inside = []; // the rules around here

  const faultsOf = (node, features) =>
    features
      .map(([what, feature]) => ({ what, strangers: feature === undefined ? [] : strangersTo(feature, browsers) }))
      .filter(({ strangers }) => strangers.length > 0)
      .map(({ what, strangers }) => {
        return { what, line: node.loc.start.line, message: `${what}: not in ${strangers.join(", ")}` };
      });

  /** All of a part of the tree that some browser does not know. */
  const unknownIn = (part) => {
    const found = [];
    let property = null;
    walk(part, {
      enter(node) {
        property = node.type === "Declaration" ? node.property : property;
        const isTold = found.some(({ what }) => what === property); // then so is each of its values
        if (!isTold || node.type !== "Identifier") {
          found.push(...faultsOf(node, featuresOf(node, property)));
        }
      },
      leave(node) {
        property = node.type === "Declaration" ? null : property;
      },
    });
    return found;
  };
  const note = (found) => faults.push(...found.filter(({ what }) => !asked.flat().includes(what)));

  /** Has an earlier line of this block said the same property in words that all know? */
  const hasOlderWords = (declaration, block) => {
    const earlier = [];
    for (const node of block.children) {
      if (node === declaration) {
        break;
      }
      earlier.push(node);
    }
    return earlier.some(
      (node) => node.type === "Declaration" && node.property === declaration.property && unknownIn(node).length === 0,
    );
  };

  walk(tree, {
    enter(node) {
      if (node.type === "Atrule") {
        const isQuestion = node.name === "supports";
        const found = node.prelude ? unknownIn(node.prelude) : [];
        if (isQuestion) {
          asked.push([...found.map(({ what }) => what), ...selectorsAsked(node)]);
        } else {
          note([...faultsOf(node, featuresOf(node)), ...found]);
        }
      } else if (node.type === "Rule") {
        inside.push(node);
        note(unknownIn(node.prelude));
        if (inside.length > 1) {
          note(faultsOf(node, [NESTING]));
        }
      } else if (node.type === "Declaration" && this.block !== null && !this.atrulePrelude) {
        if (!hasOlderWords(node, this.block)) {
          note(unknownIn(node));
        }
      }
    },
    leave(node) {
      if (node.type === "Rule") {
        inside.pop();
      } else if (node.type === "Atrule" && node.name === "supports") {
        asked.pop();
      }
    },
  });
  return faults;
}

/** The pseudo-classes in `@supports selector(...)`, as featuresOf() names them. */
function selectorsAsked({ prelude }) {
  const texts = generate(prelude).match(/selector\(.*\)/g) ?? [];
  return texts.flatMap((text) => {
    const selector = parse(text.slice("selector(".length, -1), { context: "selector" });
    return findAll(selector, ({ type }) => type.startsWith("Pseudo")).map(({ name }) => `:${name}`);
  });
}
