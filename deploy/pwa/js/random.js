// Random text from the browser's cryptographic generator.

const CONSONANTS = "bdfgklmnprstvzhj"; // 16 letters: 4 bits
const VOWELS = "aiou"; // 4 letters: 2 bits
const DIGITS = "0123456789abcdefghijklmnopqrstuv"; // 32 of them: 5 bits

const bytes = (count) => Array.from(crypto.getRandomValues(new Uint8Array(count)));

const syllable = (bits) => CONSONANTS[bits & 15] + VOWELS[(bits >> 4) & 3];

/** Words of two open syllables, 12 bits each, such as "nabu-tiko-lasa": easy to say in many languages. */
export function randomWords(count) {
  return Array.from({ length: count }, () => bytes(2).map(syllable).join("")).join("-");
}

/** Letters and digits, 5 bits each. */
export const randomId = (length) => bytes(length).map((byte) => DIGITS[byte & 31]).join("");
