// The codeword of a room: how it is made, how a person may type it, and how it travels in a link.
//
// The codeword is the only key to a room. It travels in the fragment of the address, which a browser never sends to a
// server.

import { randomWords } from "./random.js";

const WORDS = 5; // 60 bits in all, far beyond what can be guessed through a server
const LASTING_WORDS = 10; // 120 bits: nobody has to say them
const MAX_ROOM_BYTES = 512; // the protocol's
const SPOKEN = /^([b-z][aiou]){2}([\s,.-]+([b-z][aiou]){2}){4}$/i;

/** A fresh codeword, such as "nabu-tiko-lasa-romi-dufa". */
export const newCodeword = () => randomWords(WORDS);

/** The room of a contact. */
export const newLastingRoom = () => randomWords(LASTING_WORDS);

function asRoom(text) {
  const room = text?.trim();
  return room && new TextEncoder().encode(room).length <= MAX_ROOM_BYTES ? room : null;
}

/** What a fragment ("#room=…&from=…") says: { room, from, contact }, each of them text or null. `from` is who invites,
 * `contact` the name of a contact that another device of the same person hands over. Any text that the protocol allows
 * may be a room. */
export function readFragment(fragment) {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const room = asRoom(values.get("room"));
  const name = (key) => (room === null ? null : values.get(key)?.trim().slice(0, 40) || null);
  return { room, from: name("from"), contact: name("contact") };
}

/** The room that a person means who has typed or pasted `text`: a link, a codeword as it was said, or any other text.
 * Null where that is no room. */
export function roomFromText(text) {
  const fragment = text.indexOf("#");
  const linked = fragment < 0 ? null : readFragment(text.slice(fragment)).room;
  if (linked !== null) {
    return linked;
  }
  const room = asRoom(text);
  return room !== null && SPOKEN.test(room) ? room.toLowerCase().split(/[\s,.-]+/).join("-") : room;
}

function link(values) {
  const url = new URL(location.href);
  url.search = "";
  url.hash = new URLSearchParams(values).toString();
  return url.href;
}

/** The address that leads to the room, with the name of who invites. */
export const inviteLink = (room, from) => link(from ? { room, from } : { room });

/** The address that adds a contact to another device of the same person. */
export const contactLink = ({ room, name }) => link({ room, contact: name });
