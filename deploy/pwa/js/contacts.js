// The people whom this device has called, each with a lasting room of their own. They are kept on the device alone.
//
// The two sides of a call agree on the room: each tells the other the one that it would take, and whether it has it
// from before. Then both choose the same one by the same rule.

import { newLastingRoom } from "./codeword.js";
import { randomId } from "./random.js";
import { read, write } from "./store.js";

const KEY = "homecall.contacts";
const MOST = 50;
const LONGEST_NAME = 40;

const isContact = (value) =>
  ["id", "name", "room"].every((key) => typeof value?.[key] === "string" && value[key] !== "");

/** Those that are kept, perhaps changed by another tab; null where nothing can be. */
function load() {
  const kept = read("localStorage", KEY);
  return Array.isArray(kept) ? kept.filter(isContact).slice(0, MOST) : null;
}

export class Contacts {
  #list;

  constructor() {
    this.#list = load() ?? [];
  }

  /** { id, name, room, device, isRenamed }, the one who was called last first. */
  get list() {
    return this.#list;
  }

  ofRoom(room) {
    return this.#list.find((contact) => contact.room === room) ?? null;
  }

  /** The contact that the other side of a call is: by its device, or by the room that the call is in. */
  find(device, room) {
    return this.#list.find((contact) => device !== null && contact.device === device) ?? this.ofRoom(room);
  }

  /** What to tell the other side: { room, isKnown }. */
  propose(device, room) {
    const known = this.find(device, room);
    return { room: known?.room ?? newLastingRoom(), isKnown: known !== null };
  }

  /** Someone was called: put them first, with the room that was agreed on. */
  meet({ device, name, room, callRoom }) {
    this.#reload();
    const known = this.find(device, callRoom) ?? this.ofRoom(room);
    const isRenamed = known?.isRenamed ?? false;
    const contact = {
      id: known?.id ?? randomId(8),
      name: isRenamed ? known.name : name.slice(0, LONGEST_NAME),
      room,
      device,
      isRenamed,
    };
    this.#keep([contact, ...this.#list.filter((other) => other.id !== contact.id && other.room !== room)]);
  }

  /** From another device of the same person. */
  add({ name, room }) {
    this.#reload();
    const contact = { id: randomId(8), name: name.slice(0, LONGEST_NAME), room, device: null, isRenamed: true };
    this.#keep([contact, ...this.#list.filter((other) => other.room !== room)]);
  }

  rename(id, name) {
    this.#reload();
    const change = (contact) => (contact.id === id ? { ...contact, name, isRenamed: true } : contact);
    this.#keep(this.#list.map(change));
  }

  remove(id) {
    this.#reload();
    this.#keep(this.#list.filter((contact) => contact.id !== id));
  }

  #reload() {
    this.#list = load() ?? this.#list;
  }

  #keep(list) {
    this.#list = list.slice(0, MOST);
    write("localStorage", KEY, this.#list);
  }
}

/** The room that both sides take: one that is known from before, else that of the side with the lower order. */
export function agree(first, second) {
  return first.isKnown || !second.isKnown ? first.room : second.room;
}
