// node ws_relay.mjs PORT [--cert FILE --key FILE]: the signaling protocol on Node.js with the ws package, on 127.0.0.1
// at /signal; with a certificate over TLS. Prints "listening" when it is ready.

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { WebSocketServer } from "ws";
import { leave, MAX_MESSAGE_BYTES, readCertificate, readCommandLine, receive } from "./signaling.mjs";

const options = readCommandLine("ws_relay.mjs");
const server = options.isSecure ? createSecureServer(readCertificate(options)) : createServer();
const sockets = new WebSocketServer({
  server,
  path: "/signal",
  maxPayload: MAX_MESSAGE_BYTES,
  perMessageDeflate: false,
});

function send(socket, text) {
  socket.send(text);
}

function onMessage(data) {
  receive(this, data, send);
}

function onClose() {
  leave(this);
}

sockets.on("connection", (socket) => {
  socket.on("message", onMessage);
  socket.on("close", onClose);
  socket.on("error", () => {}); // a close follows
});
server.listen({ host: "127.0.0.1", port: options.port, backlog: 4096 }, () => console.log("listening"));
