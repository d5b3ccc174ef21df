// The choice between the languages, and the strings that a person reads.
//
// A string may hold {placeholders}. All languages have the same keys.

const LANGUAGES = ["en", "ru"];

/** The first of the browser's languages that the page speaks; English when it speaks none of them. */
export function pickLanguage(languages) {
  const wanted = languages.map((tag) => tag.toLowerCase().split("-")[0]);
  return wanted.find((language) => LANGUAGES.includes(language)) ?? "en";
}

/** A promise of the strings of a language; the others are not loaded. */
export const loadStrings = async (language) => (await import(`./text_${language}.js`)).default;

/** A function that gives the string of a key, its {placeholders} filled in. */
export const translator = (strings) => (key, values = {}) =>
  strings[key].replace(/\{(\w+)\}/g, (_, placeholder) => values[placeholder] ?? "");
