// node uws_relay.mjs PORT [--raw] [--cert FILE --key FILE]: the signaling protocol on uWebSockets, by the package
// uwebsockets, on 127.0.0.1 at /signal; with a certificate over TLS. Prints "listening" when it is ready.
//
// It is set to be as quick as it can: no compression, no pings, no timeouts. A signal goes out by publish(), which
// collects what comes for a connection in a turn of the loop, and writes it at once. So each connection that has joined
// has a topic of its own, to which it alone is subscribed.
//
// With --raw a signal is passed on as it came. Nothing in it is looked at but its tenth byte ({"type":"j is a join,
// {"type":"l a leave, everything else a signal), as in floor_relay.c: what the library can do at best.

import uws from "uwebsockets";
import { leave, MAX_MESSAGE_BYTES, readCommandLine, receive, relayText } from "./signaling.mjs";

const KIND_AT = '{"type":"'.length;
const JOIN = "j".charCodeAt(0);
const LEAVE = "l".charCodeAt(0);

const options = readCommandLine("uws_relay.mjs", ["raw"]);
const app = options.isSecure
  ? uws.SSLApp({ cert_file_name: options.cert, key_file_name: options.key })
  : uws.App();
let topics = 0;

function publish(socket, text) {
  if (socket.topic === undefined) {
    topics += 1;
    socket.topic = String(topics);
    socket.subscribe(socket.topic);
  }
  app.publish(socket.topic, text);
}

function onMessage(socket, data) {
  receive(socket, Buffer.from(data).toString(), publish);
}

function onRawMessage(socket, data) {
  const bytes = new Uint8Array(data);
  if (bytes[KIND_AT] === JOIN || bytes[KIND_AT] === LEAVE) {
    onMessage(socket, data);
  } else if (socket.room !== undefined) {
    const isQueued = socket.room.users.size < 2; // what is queued outlives this call, `data` does not
    relayText(socket, isQueued ? Buffer.from(bytes) : data, publish);
  }
}

app.ws("/signal", {
  compression: uws.DISABLED,
  idleTimeout: 0,
  maxBackpressure: 64 * 1024 * 1024,
  maxLifetime: 0,
  maxPayloadLength: MAX_MESSAGE_BYTES,
  sendPingsAutomatically: false,
  message: options.raw ? onRawMessage : onMessage,
  close: leave,
});
app.listen("127.0.0.1", options.port, (socket) => {
  if (!socket) {
    console.error(`uws_relay.mjs: nobody can listen on port ${options.port}`);
    process.exit(1);
  }
  console.log("listening");
});
