// A page of version 1, as there are some in the field: it joins, offers when it has heard nothing for a moment, does
// not come back by itself, and ends the call on any error. It is in the room that its address names behind "#".
//
// What pages do when offers cross differs: with `?yields` it takes the other one's, which takes back its own;
// otherwise it keeps to its own and says that again.

const MOMENT_MS = 1500;

const doesYield = new URLSearchParams(location.search).has("yields");
const room = location.hash.slice(1);
const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
const socket = new WebSocket(`ws://${location.host}/signal`);
let connection = null;
let held = []; // candidates that came before their description
let tasks = Promise.resolve();

const say = (message) => socket.send(JSON.stringify(message));
const print = (description) => description?.sdp.match(/^a=fingerprint:.*/m)[0];

function connect() {
  connection?.close();
  connection = new RTCPeerConnection();
  connection.ontrack = ({ streams }) => (theirs.srcObject = streams[0]);
  connection.onicecandidate = ({ candidate }) => candidate?.candidate && say({ type: "candidate", room, candidate });
  media.getTracks().forEach((track) => connection.addTrack(track, media));
}

async function describe() {
  await connection.setLocalDescription();
  const { type, sdp } = connection.localDescription;
  say({ type, room, sdp: { type, sdp } });
}

async function offer() {
  if (window.heard.length === 0) {
    connect();
    await describe();
  }
}

async function takeDescription(description) {
  await connection.setRemoteDescription(description);
  for (const candidate of held.splice(0)) {
    await connection.addIceCandidate(candidate);
  }
}

const take = {
  async offer({ sdp }) {
    if (connection?.signalingState === "have-local-offer" && !doesYield) {
      const { type, sdp: own } = connection.localDescription;
      return say({ type, room, sdp: { type, sdp: own } });
    }
    if (connection === null || (connection.remoteDescription && print(connection.remoteDescription) !== print(sdp))) {
      connect(); // the other page was loaded again
    }
    await takeDescription(sdp);
    await describe();
  },
  async answer({ sdp }) {
    if (connection.signalingState === "have-local-offer") {
      await takeDescription(sdp);
    }
  },
  async candidate({ candidate }) {
    if (connection?.remoteDescription) {
      await connection.addIceCandidate(candidate ?? undefined).catch(() => {}); // of a description that was taken back
    } else {
      held.push(candidate);
    }
  },
  async error({ message }) {
    connection?.close();
    throw new Error(message);
  },
};

window.heard = []; // the types of all messages
socket.onopen = () => {
  say({ type: "join", room, user: `version 1 ${Math.random()}` });
  setTimeout(() => (tasks = tasks.then(offer)), MOMENT_MS);
};
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  window.heard.push(message.type);
  tasks = tasks.then(() => take[message.type]?.(message));
};
