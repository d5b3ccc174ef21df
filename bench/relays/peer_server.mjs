// node peer_server.mjs PORT: PeerServer from npm as it comes, on 127.0.0.1, its WebSocket at /peerjs. Prints
// "listening" when it is ready.
//
// Only what would end a comparison early is set: the bound of 5000 clients, and the error event, which ends the
// process where nobody listens to it (a reset connection is enough).

import { PeerServer } from "peer";

const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  console.error("usage: node peer_server.mjs PORT");
  process.exit(2);
}

const server = PeerServer({ host: "127.0.0.1", port, concurrent_limit: 1_000_000 }, () => {
  console.log("listening");
});
server.on("error", (error) => console.error(String(error)));
