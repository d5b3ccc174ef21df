// A rule for ESLint: a script uses nothing that a browser of the list does not know.
//
// eslint-plugin-compat asks the same of MDN's data, but overlooks AbortSignal.timeout(), Object.groupBy() and most of what
// is called on an object. A member of an object whose kind is not known from its name counts as unknown to a browser when
// every interface that has such a member is: `.at()` is one of Chrome 92, whatever it is called on; `.share()` is found
// after `navigator` only. To ask for something, as in `if (navigator.share)`, is not to use it.

import { ESLint } from "eslint";

import { data, strangersTo } from "./support.mjs";

const { api, javascript } = data;
const { builtins, classes, operators, statements, regular_expressions: patterns } = javascript;

// Objects that every script calls by the same name.
const KINDS = {
  navigator: "Navigator",
  document: "Document",
  window: "Window",
  screen: "Screen",
  crypto: "Crypto",
  performance: "Performance",
  mediaDevices: "MediaDevices",
  clipboard: "Clipboard",
  permissions: "Permissions",
  serviceWorker: "ServiceWorkerContainer",
  caches: "CacheStorage",
};

/** The members of objects, by their name, as { name, feature, owner }. What is not of the standard nobody means. */
const members = new Map();
for (const [ownerName, owner] of [...Object.entries(api), ...Object.entries(builtins)]) {
  for (const [name, feature] of Object.entries(owner)) {
    const isStandard = feature.__compat?.status?.standard_track !== false;
    if (isStandard && name !== "__compat" && name !== ownerName && !/_static$|_event$/.test(name)) {
      members.set(name, [...(members.get(name) ?? []), { name: `${ownerName}.${name}`, feature, owner }]);
    }
  }
}

const own = (object, name) => (Object.hasOwn(object ?? {}, name) ? object[name] : undefined);
const isInterface = (name) => /^[A-Z]/.test(name) && (own(api, name) ?? own(builtins, name)) !== undefined;

/** The feature that a name of the global scope is. */
const globalFeature = (name) => own(builtins, name) ?? own(api, name) ?? own(api.Window, name);

/** What `object.member` may be, where `object` is a name of the global scope or the last part of a longer one. */
function memberFeatures(object, member) {
  if (object !== null && isInterface(object)) {
    const feature = own(builtins[object], member) ?? own(api[object], `${member}_static`);
    return feature === undefined ? [] : [{ name: `${object}.${member}`, feature }];
  }
  const kind = own(KINDS, object ?? "");
  const feature = kind && own(api[kind], member);
  return feature ? [{ name: `${kind}.${member}`, feature }] : (members.get(member) ?? []);
}

/** The name of an object, or the last one of `a.b.c`; null where it has none. */
function lastName(node) {
  const inner = node.type === "ChainExpression" ? node.expression : node;
  if (inner.type === "MemberExpression" && !inner.computed) {
    return inner.property.name;
  }
  return inner.type === "Identifier" ? inner.name : null;
}

const isTopLevel = (node) => {
  for (let up = node.parent; up; up = up.parent) {
    if (/Function/.test(up.type)) {
      return false;
    }
  }
  return true;
};

/** Syntax by the node that it makes; `when` narrows that down. ECMAScript after 2022 is not even parsed. */
const SYNTAX = [
  ["StaticBlock", "static block", classes.static.initialization_blocks],
  ["PrivateIdentifier", "private member", classes.private_class_fields],
  ["BinaryExpression", "#x in object", classes.private_class_fields_in, ({ left }) => left.type === "PrivateIdentifier"],
  ["PropertyDefinition", "class field", classes.public_class_fields],
  ["AwaitExpression", "await outside of a function", operators.await.top_level, isTopLevel],
  ["ChainExpression", "?.", operators.optional_chaining],
  ["LogicalExpression", "??", operators.nullish_coalescing, ({ operator }) => operator === "??"],
  ["AssignmentExpression", "??=", operators.nullish_coalescing_assignment, ({ operator }) => operator === "??="],
  ["AssignmentExpression", "||=", operators.logical_or_assignment, ({ operator }) => operator === "||="],
  ["AssignmentExpression", "&&=", operators.logical_and_assignment, ({ operator }) => operator === "&&="],
  ["ExportAllDeclaration", "export * as", statements.export.namespace, ({ exported }) => exported !== null],
  ["ImportExpression", "import()", operators.import],
  ["MetaProperty", "import.meta", operators.import_meta, ({ meta }) => meta.name === "import"],
  ["Literal", "(?<=", patterns.lookbehind_assertion, ({ regex }) => /\(\?<[=!]/.test(regex?.pattern ?? "")],
  ["Literal", "(?<name>", patterns.named_capturing_group, ({ regex }) => /\(\?<[^=!]/.test(regex?.pattern ?? "")],
  ["Literal", "\\p{}", patterns.unicode_character_class_escape, ({ regex }) => /\\p\{/i.test(regex?.pattern ?? "")],
  ["Literal", "flag s", builtins.RegExp.dotAll, ({ regex }) => regex?.flags.includes("s")],
  ["Literal", "flag d", builtins.RegExp.hasIndices, ({ regex }) => regex?.flags.includes("d")],
];

const isPlain = ({ name, value }) => name === "undefined" || value === null || value === true;

/** Does it do no harm here that a member, or a name, may be unknown? */
function isQuestion(node) {
  const { parent } = node;
  switch (parent.type) {
    case "IfStatement":
    case "ConditionalExpression":
      return parent.test === node;
    case "LogicalExpression":
      return parent.left === node || isQuestion(parent);
    case "UnaryExpression":
      return ["!", "typeof"].includes(parent.operator);
    case "BinaryExpression":
      return /^[!=]==?$/.test(parent.operator) && [parent.left, parent.right].some(isPlain);
    case "MemberExpression":
      return parent.object === node && parent.optional;
    case "CallExpression":
      return parent.callee === node && parent.optional;
    default:
      return false;
  }
}

const CAUGHT = " (caught)";

/** Does the same function catch what happens when it is called? */
function isCaught(node) {
  let inner = node;
  for (let up = node.parent; up && !/Function/.test(up.type); [inner, up] = [up, up.parent]) {
    if (up.type === "TryStatement" && up.block === inner && up.handler !== null) {
      return true;
    }
  }
  return false;
}

/** The rule for some browsers. It adds to `asked` the names that the script asks for. */
const ruleFor = (browsers, asked) => ({
  create(context) {
    const ours = new Set(); // modules by the name that the script has for them
    /** Each use of a name that the script has not made itself. */
    const globalUses = () => {
      const { through, variables } = context.sourceCode.scopeManager.globalScope;
      const ofLanguage = variables.filter(({ defs }) => defs.length === 0).flatMap(({ references }) => references);
      return [...through, ...ofLanguage].map(({ identifier }) => identifier);
    };
    const report = (node, name, feature) => {
      const strangers = strangersTo(feature, browsers);
      if (strangers.length > 0) {
        const message = `${name}: not in ${strangers.join(", ")}`;
        context.report({ node, message: isCaught(node) ? message + CAUGHT : message });
      }
    };
    const checkMember = (node, object, member) => {
      // Who has an object that some browser does not know at all has been told so where it came from.
      const features = memberFeatures(object, member).filter(({ owner = {} }) => strangersTo(owner, browsers).length === 0);
      const unknown = features.filter(({ feature }) => strangersTo(feature, browsers).length > 0);
      if (unknown.length > 0 && unknown.length === features.length) {
        report(node, unknown[0].name, unknown[0].feature);
      }
    };
    const visitors = {
      MemberExpression(node) {
        const isDirect = node.object.type !== "Identifier" || globalUses().includes(node.object);
        const isOurs = node.object.type === "ThisExpression" || ours.has(node.object.name);
        const isGiven = node.parent.type === "AssignmentExpression" && node.parent.left === node;
        if (node.computed || node.property.type !== "Identifier" || isOurs || isGiven) {
          return;
        }
        if (isQuestion(node)) {
          asked.add(node.property.name);
        } else {
          checkMember(node.property, isDirect ? lastName(node.object) : null, node.property.name);
        }
      },
      ImportNamespaceSpecifier({ local }) {
        ours.add(local.name);
      },
      BinaryExpression({ operator, left }) {
        if (operator === "in" && left.type === "Literal") {
          asked.add(left.value);
        }
      },
      VariableDeclarator({ id, init }) {
        if (id.type === "ObjectPattern" && init !== null) {
          const names = id.properties.filter(({ type, computed }) => type === "Property" && !computed);
          names.forEach(({ key }) => checkMember(key, lastName(init), key.name ?? String(key.value)));
        }
      },
      "Program:exit"() {
        for (const identifier of globalUses()) {
          const feature = globalFeature(identifier.name);
          if (isQuestion(identifier)) {
            asked.add(identifier.name);
          } else if (feature !== undefined) {
            report(identifier, identifier.name, feature);
          }
        }
      },
    };
    for (const [type, name, feature, when = () => true] of SYNTAX) {
      const before = visitors[type] ?? (() => {});
      visitors[type] = (node) => {
        before(node);
        if (when(node)) {
          report(node, name, feature);
        }
      };
    }
    return visitors;
  },
});

/** The faults of a script, as { what, line, message, isCaught, asked }: `what` is the name of the feature, or "syntax";
 * `isCaught` tells whether the script goes on without it, and `asked` is all that the script asks for anywhere. */
export async function lintScript(source, browsers, { ecmaVersion = 2022 } = {}) {
  const asked = new Set();
  const eslint = new ESLint({
    overrideConfigFile: true,
    allowInlineConfig: false, // exceptions stand in one place
    overrideConfig: {
      languageOptions: { ecmaVersion, sourceType: "module" },
      plugins: { page: { rules: { known: ruleFor(browsers, asked) } } },
      rules: { "page/known": "error" },
    },
  });
  const [{ messages }] = await eslint.lintText(source);
  return messages.map(({ line, message, fatal }) => {
    const what = fatal ? "syntax" : message.slice(0, message.indexOf(": not in "));
    return { what, line, message, isCaught: message.endsWith(CAUGHT), asked };
  });
}
