// Another page than ours, of the kind that HomeCall's users have: it takes modules from another host, has a script in its HTML,
// makes code of text, has a service worker and modules by the name .mjs, tells its log to a third host, and asks a STUN server. Each thing that it could
// do is written into the body; the test fills in the words between @ signs.

import { greet } from "@CDN@/greet.mjs";
import { part } from "./part.mjs";

const done = (what, text) => (document.body.dataset[what] = text);

done("cdn", greet());
done("part", part);
done("text", new Function("return 'is code'")());

navigator.serviceWorker.register("service-worker.js").then(
  () => done("worker", "is registered"),
  (error) => done("worker", error.message),
);

fetch("@LOG@/log", { method: "POST", mode: "no-cors", body: "a line" }).then(
  () => done("log", "is told"),
  (error) => done("log", error.message),
);

const socket = new WebSocket(`wss://${location.host}/signal?sessionId=hush`);
socket.onopen = () => done("socket", "is open");
socket.onerror = () => done("socket", "has failed");

const connection = new RTCPeerConnection({ iceServers: [{ urls: "@STUN@" }] });
connection.createDataChannel("nothing");
connection.setLocalDescription().then(() => done("stun", "is asked"));
window.connection = connection; // or it would be collected
