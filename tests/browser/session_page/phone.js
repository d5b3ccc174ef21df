// A phone as the pages of the session dialect are: one call at a time, each in a session of its own. Whatever is said to be
// wrong with the line ends the call, also where the two sides are connected already.
//
// The test moves it by window.phone, and reads body[data-phase]: idle, waiting, incall or ended; data-why says why it ended.

import { Line } from "./line.js";

const remote = document.getElementById("remote");
let call = null;

function show(phase, why = "") {
  Object.assign(document.body.dataset, { phase, why });
}

function end(why, { isToldToOther }) {
  if (!call) {
    return;
  }
  const { line, connection, stream } = call;
  call = null;
  if (isToldToOther) {
    line.say({ type: "hangup", reason: why });
  }
  connection.close();
  line.close();
  stream.getTracks().forEach((track) => track.stop());
  remote.srcObject = null;
  show("ended", why);
}

const note = ({ message }) => phone.notes.push(message);
const fail = (why) => end(why, { isToldToOther: true });

async function describe({ type, sdp }, { line, connection }) {
  await connection.setLocalDescription({ type, sdp });
  line.say({ type, sdp });
}

async function offer(current) {
  if (call === current) {
    await describe(await current.connection.createOffer(), current);
  }
}

async function hear(signal, { line, connection }) {
  switch (signal.type) {
    case "offer": // also where one was made here: the browser takes that back
      await connection.setRemoteDescription(signal);
      await describe(await connection.createAnswer(), { line, connection });
      break;
    case "answer":
      await connection.setRemoteDescription(signal);
      break;
    case "candidate":
      await connection.addIceCandidate(signal.candidate);
      break;
    case "hangup":
      end(signal.reason ?? "hung up", { isToldToOther: false });
      break;
    case "error":
      fail(`error: ${signal.message}`);
      break;
  }
}

function connect(stream) {
  const connection = new RTCPeerConnection();
  stream.getTracks().forEach((track) => connection.addTrack(track, stream));
  connection.ontrack = ({ streams }) => (remote.srcObject = streams[0]);
  return connection;
}

/** `dialect` is a key of the dialects in line.js. Resolves when there is a connection, and a line that is being opened: no
 * promise of a connection that is closed meanwhile is ever settled. */
async function start(id, { isCaller, dialect = "session" }) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const connection = connect(stream);
  const line = new Line(dialect, id, isCaller ? "caller" : "callee", {
    onSignal: (signal) => {
      phone.heard.push(signal.type);
      hear(signal, current).catch(note); // the other says some things twice
    },
    onRefused: () => fail("refused"),
  });
  const current = (call = { line, connection, stream });
  connection.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) {
      line.say({ type: "candidate", candidate: candidate.toJSON() });
    }
  };
  const begun = performance.now();
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === "connected") {
      phone.setupMs = performance.now() - begun;
      show("incall");
    } else if (connection.connectionState === "failed") {
      fail("the connection failed");
    }
  };
  show("waiting");
  line.open().then(() => isCaller && offer(current)).catch(note);
}

const phone = {
  heard: [], // the types of all messages
  notes: [], // what could not be made use of
  setupMs: 0, // from the opening of the line to the connection
  call: (id, options) => start(id, { ...options, isCaller: true }),
  answer: (id, options) => start(id, { ...options, isCaller: false }),
  hangUp: (why = "bye") => end(why, { isToldToOther: true }),
  returns: () => call?.line.returns ?? 0,
};
window.phone = phone;
show("idle");
