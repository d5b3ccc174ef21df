// The signaling protocol as one writes it in an afternoon: joins, the relay, the queue, the faults. The relays of
// this folder share it. Left out is the rest of a server: liveness, the grace for a lost connection, limits of rate
// and memory, logs. All of that would only make it dearer.
//
// A socket is what the library has: an object with a function send(), on which `room` and `user` are kept.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

export const MAX_MESSAGE_BYTES = 128 * 1024;
const ROOM_CAPACITY = 2;
const MAX_PENDING = 256;
const SIGNALS = new Map([
  ["offer", "sdp"],
  ["answer", "sdp"],
  ["candidate", "candidate"],
]);

/** Rooms by name: who is in (user to socket) and what waits for the next one. */
const rooms = new Map();

function fault(socket, message) {
  socket.send(JSON.stringify({ type: "error", message }));
}

/** The socket is in no room any more. Also for one that is closed. */
export function leave(socket) {
  const { room, user } = socket;
  if (room === undefined) {
    return;
  }
  if (room.users.get(user) === socket) {
    room.users.delete(user);
    room.pending = room.pending.filter((signal) => signal.from !== user);
  }
  if (room.users.size === 0) {
    rooms.delete(room.name);
  }
  socket.room = undefined;
  socket.user = undefined;
}

function deliverPending(room, socket) {
  for (const signal of room.pending) {
    socket.send(signal.text);
  }
  room.pending = [];
}

function join(socket, name, user) {
  if (socket.room?.name === name && socket.user === user) {
    return;
  }
  leave(socket);
  let room = rooms.get(name);
  if (room === undefined) {
    room = { name, users: new Map(), pending: [] };
    rooms.set(name, room);
  }
  if (room.users.size >= ROOM_CAPACITY && !room.users.has(user)) {
    fault(socket, "Room is full");
    return;
  }
  room.users.set(user, socket);
  socket.room = room;
  socket.user = user;
  if (room.users.size > 1) {
    deliverPending(room, socket);
  }
}

/**
 * Give a signal to the other one in the room of this socket, which is in one, or queue it. `text` is what send() takes;
 * it must stay as it is. `pass` sends it to one socket.
 */
export function relayText(socket, text, pass) {
  const { room, user } = socket;
  if (room.users.size > 1) {
    for (const other of room.users.values()) {
      if (other !== socket) {
        pass(other, text);
      }
    }
  } else if (room.pending.length < MAX_PENDING) {
    room.pending.push({ from: user, text });
  } else {
    fault(socket, "Pending queue is full");
  }
}

function relay(socket, message, field, pass) {
  const { room, user } = socket;
  if (room === undefined || (message.room !== undefined && message.room !== room.name)) {
    fault(socket, "Join the room first");
    return;
  }
  const signal = { type: message.type, room: room.name, from: user, [field]: message[field] };
  relayText(socket, JSON.stringify(signal), pass);
}

const isName = (value) => typeof value === "string" && value.trim() !== "";

/** Do what a message asks for. `pass(socket, text)` sends a signal to another socket. */
export function receive(socket, text, pass) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    fault(socket, "Invalid message");
    return;
  }
  const field = SIGNALS.get(message?.type);
  if (field !== undefined && message[field] !== undefined) {
    relay(socket, message, field, pass);
  } else if (message?.type === "join" && isName(message.room) && isName(message.user)) {
    join(socket, message.room.trim(), message.user.trim());
  } else if (message?.type === "leave") {
    leave(socket);
  } else {
    fault(socket, "Invalid message");
  }
}

/** The command line: `PORT [--cert FILE --key FILE]` and the flags that are named. Ends the process if it is wrong. */
export function readCommandLine(name, flags = []) {
  const options = { cert: { type: "string" }, key: { type: "string" } };
  for (const flag of flags) {
    options[flag] = { type: "boolean", default: false };
  }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const port = Number(positionals[0]);
    const isPort = positionals.length === 1 && Number.isInteger(port) && port > 0 && port < 65536;
    if (isPort && (values.cert === undefined) === (values.key === undefined)) {
      return { ...values, port, isSecure: values.cert !== undefined };
    }
  } catch {
    // an option that is not known; the usage says which are
  }
  const usage = flags.map((flag) => ` [--${flag}]`).join("");
  console.error(`usage: node ${name} PORT${usage} [--cert FILE --key FILE]`);
  process.exit(2);
}

/** What node:https wants of the files. */
export function readCertificate({ cert, key }) {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
