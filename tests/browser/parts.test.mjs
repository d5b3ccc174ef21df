// The parts of the page that need no browser.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

// The page's files are modules because the page says so. Debian's Node.js 18 wants to read that in a package.json, which
// the page has no use for, so the test gives it one in a copy; nor has that Node the global `crypto` of a browser.
globalThis.crypto ??= webcrypto;
globalThis.location ??= new URL("https://call.example.org/?x#y");
const copy = await mkdtemp(join(tmpdir(), "homecall-parts-"));
await cp(new URL("../../deploy/pwa/js", import.meta.url), copy, { recursive: true });
await writeFile(join(copy, "package.json"), '{ "type": "module" }');
const part = (name) => import(join(copy, `${name}.js`));
const { contactLink, inviteLink, newCodeword, newLastingRoom, readFragment, roomFromText } = await part("codeword");
const { Contacts, agree } = await part("contacts");
const { displayName } = await part("identity");
const { judge } = await part("quality");
const { loadStrings, pickLanguage, translator } = await part("text");
const texts = { en: await loadStrings("en"), ru: await loadStrings("ru") };
const { duration } = await part("view/call");
const { keptShare } = await part("view/stage");
await rm(copy, { recursive: true });

/** A browser's storage, for as long as the test goes on. */
function withStorage(t) {
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  globalThis.window = { localStorage: storage, sessionStorage: storage };
  t.after(() => delete globalThis.window);
  return kept;
}

test("both languages say the same things with the same placeholders", () => {
  const placeholders = (language) =>
    Object.entries(texts[language]).map(([key, text]) => [key, text.match(/\{\w+\}/g)]);
  assert.deepEqual(placeholders("ru"), placeholders("en"));
});

test("a placeholder is filled in literally", () => {
  assert.equal(translator(texts.en)("answering_detail", { name: "$& {name}" }), "$& {name} is here.");
});

test("the first known language wins, and English stands in for unknown ones", () => {
  assert.equal(pickLanguage(["de-DE", "ru-RU", "en-US"]), "ru");
  assert.equal(pickLanguage(["de-DE", "RU"]), "ru");
  assert.equal(pickLanguage(["en-GB", "ru"]), "en");
  assert.equal(pickLanguage(["de", "constructor"]), "en");
  assert.equal(pickLanguage([]), "en");
});

test("a codeword is five words, survives its link and does not repeat", () => {
  const codewords = Array.from({ length: 1000 }, newCodeword);
  assert.equal(new Set(codewords).size, codewords.length);
  for (const codeword of codewords) {
    assert.match(codeword, /^([b-z][aiou][b-z][aiou]-){4}[b-z][aiou][b-z][aiou]$/);
    assert.equal(readFragment(`#room=${codeword}`).room, codeword);
  }
});

test("a lasting room has 120 random bits", () => {
  assert.match(newLastingRoom(), /^([b-z][aiou][b-z][aiou]-){9}[b-z][aiou][b-z][aiou]$/);
});

test("a fragment names a room if the protocol allows it", () => {
  assert.equal(readFragment("#room=%D0%B4%D0%BE%D0%BC+2").room, "дом 2");
  assert.equal(readFragment("#a=b&room=x").room, "x");
  assert.equal(readFragment(`#room=${"я".repeat(256)}`).room, "я".repeat(256));
  const tooLong = `#room=${"я".repeat(256)}x`;
  for (const fragment of ["", "#", "#room", "#room=", "#room=%20%20", "#rooms=x", "#from=Anna", tooLong]) {
    assert.deepEqual(readFragment(fragment), { room: null, from: null, contact: null }, fragment);
  }
});

test("links say who invites, and which contact they bring", () => {
  assert.equal(inviteLink("a b", "Анна & co").split("#")[0], "https://call.example.org/");
  const invited = readFragment(new URL(inviteLink("a b", "Анна & co")).hash);
  assert.deepEqual(invited, { room: "a b", from: "Анна & co", contact: null });
  assert.equal(readFragment(new URL(inviteLink("x", "")).hash).from, null);
  const brought = readFragment(new URL(contactLink({ room: "x", name: "Boris" })).hash);
  assert.deepEqual(brought, { room: "x", from: null, contact: "Boris" });
});

test("a codeword may be typed as it was said, and a link pasted whole", () => {
  for (const text of ["nabu-tiko-lasa-romi-dufa", " Nabu tiko LASA romi, dufa ", "https://x.org/#room=nabu-tiko-lasa-romi-dufa"]) {
    assert.equal(roomFromText(text), "nabu-tiko-lasa-romi-dufa", text);
  }
  assert.equal(roomFromText("Grandma's House"), "Grandma's House");
  assert.equal(roomFromText("flat #7"), "flat #7");
  for (const text of ["", "   ", "x".repeat(513)]) {
    assert.equal(roomFromText(text), null, text);
  }
});

test("a name shows without the suffix of other clients, and a foreign one as it is", () => {
  assert.equal(displayName("Анна #1 #k3f90aaz"), "Анна #1");
  assert.equal(displayName("Anna"), "Anna");
});

test("two sides of a call agree on one lasting room, whoever knows whom", (t) => {
  const device = ["second-device", "first-device"]; // of the other side
  for (const knows of [[false, false], [true, false], [false, true], [true, true]]) {
    const sides = device.map((_, i) => {
      withStorage(t);
      return { contacts: new Contacts(), storage: globalThis.window, i };
    });
    const onEach = (act) =>
      sides.map((side) => {
        globalThis.window = side.storage;
        return act(side);
      });
    const meet = ({ contacts, i }, room, callRoom) => contacts.meet({ device: device[i], name: "Anybody", room, callRoom });
    onEach((side) => knows[side.i] && meet(side, `kept-${side.i}`, "old"));
    const [first, second] = onEach(({ contacts, i }) => contacts.propose(device[i], "call"));
    const room = agree(first, second);
    assert.equal(room, knows[0] ? "kept-0" : knows[1] ? "kept-1" : first.room);
    onEach((side) => meet(side, room, "call"));
    assert.deepEqual(onEach(({ contacts }) => contacts.list.map((one) => one.room)), [[room], [room]]);
  }
});

test("contacts stay: the last one first, renamed for good, and none twice", (t) => {
  const kept = withStorage(t);
  const contacts = new Contacts();
  contacts.meet({ device: "d1", name: "Anna", room: "r1", callRoom: "c" });
  contacts.meet({ device: "d2", name: "Boris", room: "r2", callRoom: "c" });
  contacts.rename(contacts.find("d1", "c").id, "Granny");
  contacts.meet({ device: "d1", name: "Anna", room: "r1", callRoom: "c" });
  contacts.add({ name: "Clara", room: "r3" });
  contacts.add({ name: "Clara again", room: "r3" });
  const again = new Contacts();
  assert.deepEqual(again.list.map(({ name, room }) => [name, room]), [["Clara again", "r3"], ["Granny", "r1"], ["Boris", "r2"]]);
  again.meet({ device: "d3", name: "C.", room: "r3", callRoom: "r3" }); // the one that a link has brought
  assert.deepEqual(again.list.map(({ name }) => name), ["Clara again", "Granny", "Boris"]);
  contacts.remove(contacts.ofRoom("r2").id); // another tab, which has not seen that
  assert.deepEqual(new Contacts().list.map(({ name }) => name), ["Clara again", "Granny"]);
  again.remove(again.ofRoom("r3").id);
  assert.equal(new Contacts().ofRoom("r3"), null);
  for (const broken of ["{", "{}", '[1, null, {"id": "x"}, {"id": "x", "name": "", "room": "y"}]']) {
    kept.set("homecall.contacts", broken);
    assert.deepEqual(new Contacts().list, [], broken);
  }
});

test("the page works without storage", () => {
  globalThis.window = {};
  const contacts = new Contacts();
  contacts.add({ name: "Anna", room: "r" });
  assert.equal(contacts.ofRoom("r").name, "Anna");
  delete globalThis.window;
});

test("a connection is judged by its round trip and by what was lost since the last look", () => {
  const before = { roundTripS: 0.05, lost: 100, received: 1000 };
  const later = (roundTripS, lost) => judge(before, { roundTripS, lost: 100 + lost, received: 1100 });
  assert.equal(later(0.05, 0), "good");
  assert.equal(later(0.29, 3), "good");
  assert.equal(later(0.3, 0), "fair");
  assert.equal(later(0.05, 4), "fair");
  assert.equal(later(0.6, 0), "poor");
  assert.equal(later(0.05, 10), "poor");
  assert.equal(judge(before, { ...before, lost: 90 }), "good", "counters begin anew, or stand still");
});

test("the time of a call is told in minutes, then in hours", () => {
  assert.deepEqual([0, 59999, 187000, 3600000, 3765000].map(duration), ["0:00", "0:59", "3:07", "1:00:00", "1:02:45"]);
});

test("a picture that fills a window of another shape loses the rest", () => {
  assert.equal(keptShare(16 / 9, 16 / 9), 1);
  assert.ok(Math.abs(keptShare(16 / 9, 390 / 844) - 0.26) < 0.001, "a landscape picture on an upright phone");
  assert.equal(keptShare(1, 2), keptShare(2, 1));
});
