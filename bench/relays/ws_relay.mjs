// node ws_relay.mjs PORT: the signaling protocol on Node.js with the ws package, on 127.0.0.1 at /signal. Prints
// "listening" when it is ready.
//
// What one writes in an afternoon: joins, the relay, the queue, the faults. Left out is the rest of a server:
// liveness, the grace for a lost connection, limits of rate and memory, TLS, logs. All of that would only make it
// dearer.

import { WebSocketServer } from "ws";

const ROOM_CAPACITY = 2;
const MAX_PENDING = 256;
const MAX_MESSAGE_BYTES = 128 * 1024;
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

function leave(socket) {
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

function relay(socket, message, field) {
  const { room, user } = socket;
  if (room === undefined || (message.room !== undefined && message.room !== room.name)) {
    fault(socket, "Join the room first");
    return;
  }
  const signal = { type: message.type, room: room.name, from: user, [field]: message[field] };
  const text = JSON.stringify(signal);
  if (room.users.size > 1) {
    for (const other of room.users.values()) {
      if (other !== socket) {
        other.send(text);
      }
    }
  } else if (room.pending.length < MAX_PENDING) {
    room.pending.push({ from: user, text });
  } else {
    fault(socket, "Pending queue is full");
  }
}

const isName = (value) => typeof value === "string" && value.trim() !== "";

function handle(socket, message) {
  const field = SIGNALS.get(message?.type);
  if (field !== undefined && message[field] !== undefined) {
    relay(socket, message, field);
  } else if (message?.type === "join" && isName(message.room) && isName(message.user)) {
    join(socket, message.room.trim(), message.user.trim());
  } else if (message?.type === "leave") {
    leave(socket);
  } else {
    fault(socket, "Invalid message");
  }
}

function onMessage(data) {
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    fault(this, "Invalid message");
    return;
  }
  handle(this, message);
}

function onClose() {
  leave(this);
}

const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  console.error("usage: node ws_relay.mjs PORT");
  process.exit(2);
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port,
  path: "/signal",
  backlog: 4096,
  maxPayload: MAX_MESSAGE_BYTES,
  perMessageDeflate: false,
});
server.on("listening", () => console.log("listening"));
server.on("connection", (socket) => {
  socket.on("message", onMessage);
  socket.on("close", onClose);
  socket.on("error", () => {}); // a close follows
});
