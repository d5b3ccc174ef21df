// The codeword of a room: how it is made, how it travels in a link, and how the link is shared.
//
// The codeword is the only key to a room, so it comes from the browser's cryptographic generator: five words
// of two open syllables, easy to say in many languages, 12 bits each. It travels in the fragment of the
// address, which a browser never sends to a server.

const CONSONANTS = "bdfgklmnprstvzhj"; // 16 letters: 4 bits
const VOWELS = "aiou"; // 4 letters: 2 bits
const WORDS = 5; // 60 bits in all, far beyond what can be guessed through a server
const MAX_ROOM_BYTES = 512; // PROTOCOL.md, "Client to server"

function syllable(bits) {
  return CONSONANTS[bits & 15] + VOWELS[(bits >> 4) & 3];
}

/** A fresh codeword, such as "nabu-tiko-lasa-romi-dufa". */
export function newCodeword() {
  const random = crypto.getRandomValues(new Uint8Array(WORDS * 2));
  const word = (_, i) => syllable(random[2 * i]) + syllable(random[2 * i + 1]);
  return Array.from({ length: WORDS }, word).join("-");
}

/** The room that a fragment ("#room=…") names, or null. Any text that the protocol allows will do. */
export function roomFromFragment(fragment) {
  const room = new URLSearchParams(fragment.replace(/^#/, "")).get("room")?.trim();
  if (!room || new TextEncoder().encode(room).length > MAX_ROOM_BYTES) {
    return null;
  }
  return room;
}

/** The address that leads to the room. */
export function linkToRoom(room) {
  const link = new URL(location.href);
  link.search = "";
  link.hash = new URLSearchParams({ room }).toString();
  return link.href;
}

/** Offer the link to the system's share sheet, or else put it on the clipboard.
 * Returns "shared", "cancelled", "copied", or "manual" when the browser allows neither. */
export async function shareLink(link, { title, text }) {
  if (navigator.share) {
    try {
      await navigator.share({ title, text, url: link });
      return "shared";
    } catch (error) {
      if (error.name === "AbortError") {
        return "cancelled";
      }
    }
  }
  try {
    await navigator.clipboard.writeText(link);
    return "copied";
  } catch {
    return "manual"; // no clipboard outside a secure context, or refused
  }
}
