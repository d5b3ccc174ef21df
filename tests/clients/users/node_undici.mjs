// A user of undici, whose WebSocket is the one that Node.js has built in since version 22:
// node_undici.mjs URL ORIGIN SUBPROTOCOL

import { WebSocket } from "undici";

import { obey } from "./lines.mjs";

const [url, origin, subprotocol] = process.argv.slice(2);
obey(new WebSocket(url, { protocols: subprotocol ? [subprotocol] : [], headers: origin ? { origin } : {} }));
