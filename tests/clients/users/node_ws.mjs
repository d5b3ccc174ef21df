// A user of the library ws: node_ws.mjs URL ORIGIN SUBPROTOCOL

import WebSocket from "ws";

import { obey } from "./lines.mjs";

const [url, origin, subprotocol] = process.argv.slice(2);
const socket = new WebSocket(url, subprotocol ? [subprotocol] : [], origin ? { origin } : {});
obey(socket, ({ message }) => message.match(/server response: (\d+)/)?.[1]);
