// The wires: configuration, the room in the address, the buttons, and one call at a time.
//
// This is the only module that knows all the others. It holds the model that the view draws; every change
// goes through update().

import { Call } from "./call.js";
import { linkToRoom, newCodeword, roomFromFragment, shareLink } from "./codeword.js";
import { IceServers } from "./ice.js";
import * as identity from "./identity.js";
import { closeMedia, mediaKind, openMedia } from "./media.js";
import { pickLanguage, translator } from "./text.js";
import { View } from "./view.js";

const language = pickLanguage(navigator.languages);
const t = translator(language);
const view = new View({
  language,
  t,
  handlers: { onStart: (name) => start(name, false), onHangUp, onShare, onRenew, onToggle },
});

// phase: "loading" (only before the first drawing), "idle", "connecting", "waiting", "answering", "incall",
// "ended".
const model = {
  phase: "idle",
  isServerLost: false,
  isInterrupted: false, // the other side is not heard of
  isGuest: false, // came by a link instead of making up the codeword
  peerName: null,
  reason: null, // why the call has ended, as call.js says it
  message: "", // the words that go with it
  room: null,
  link: null,
  media: null, // what could be opened, as media.js says it
  isMuted: { audio: false, video: false },
};

let tab; // a promise of this tab's suffix
let config; // a promise of the configuration
let call = null;
let stream = null; // our camera and microphone, while a call needs them

function update(change) {
  Object.assign(model, change);
  view.render(model);
}

/** Without its file the page still works with the defaults. */
async function loadConfig() {
  let file = {};
  try {
    file = await (await fetch("config.json", { cache: "no-cache" })).json();
  } catch (error) {
    console.warn("config.json can't be read:", error.message);
  }
  const signalUrl = new URL(file.signal ?? "/signal", location.href);
  signalUrl.protocol = signalUrl.protocol.replace("http", "ws");
  const url = file.ice === null ? null : new URL(file.ice ?? "/ice", location.href).href;
  return { signalUrl: signalUrl.href, ice: new IceServers({ url, fixed: file.iceServers ?? [] }) };
}

function enterRoom(room) {
  const isGuest = room !== identity.createdRoom();
  update({ room, link: linkToRoom(room), isGuest });
}

function createRoom() {
  const room = newCodeword();
  identity.rememberCreatedRoom(room);
  history.replaceState(null, "", linkToRoom(room));
  enterRoom(room);
}

/** Start a call, or take one up again after a reload. */
async function start(name, isResumed) {
  identity.saveName(name);
  if (model.room === null) {
    createRoom();
  }
  identity.rememberActiveRoom(model.room);
  update({
    phase: "connecting",
    isServerLost: false,
    isInterrupted: false,
    peerName: null,
    reason: null,
    message: "",
    media: null,
    isMuted: { audio: false, video: false },
  });

  const { signalUrl, ice } = await config;
  const servers = ice.start((list) => call?.setIceServers(list));
  const [opened, iceServers, suffix] = await Promise.all([openMedia(), servers, tab]);
  if (model.phase !== "connecting" || stream !== null) {
    closeMedia(opened); // hung up while the browser was asking
    return;
  }
  stream = opened;
  view.showLocal(stream);
  update({ media: mediaKind(stream) });
  call = new Call({
    signalUrl,
    iceServers,
    room: model.room,
    user: identity.userId(name, suffix),
    media: stream,
    offersAtOnce: !model.isGuest || isResumed,
    events: {
      onChange: ({ phase, isServerLost, isInterrupted, peerUser }) =>
        update({ phase, isServerLost, isInterrupted, peerName: peerUser && identity.displayName(peerUser) }),
      onStream: (remote) => view.showRemote(remote),
      onEnd: finish,
    },
  });
  call.start();
}

/** The call has ended: give the devices back and show why. */
function finish({ reason, message }) {
  call = null;
  config.then(({ ice }) => ice.stop());
  identity.rememberActiveRoom(null);
  if (stream !== null) {
    closeMedia(stream);
    stream = null;
  }
  view.showLocal(null);
  view.showRemote(null);
  update({ phase: "ended", reason, message, isServerLost: false, isInterrupted: false, media: null });
}

function onHangUp() {
  if (call !== null) {
    call.hangUp();
  } else {
    finish({ reason: "hangup", message: "" });
  }
}

async function onShare() {
  const result = await shareLink(model.link, { title: t("product"), text: t("share_text") });
  view.showShareResult({ copied: "shared_copied", manual: "shared_manual" }[result] ?? "");
}

function onRenew() {
  createRoom();
  update({ phase: "idle", reason: null });
}

function onToggle(kind) {
  const isMuted = { ...model.isMuted, [kind]: !model.isMuted[kind] };
  const tracks = stream?.getTracks().filter((track) => track.kind === kind) ?? [];
  tracks.forEach((track) => (track.enabled = !isMuted[kind]));
  update({ isMuted });
}

// `leave` while the page still can. A page that the browser keeps and shows again begins anew, like a reload.
addEventListener("pagehide", () => call?.abandon());
addEventListener("pageshow", (event) => event.persisted && location.reload());

// Another link was put into the address bar: it is meant for this page, but not for the call that goes on.
addEventListener("hashchange", () => {
  if (roomFromFragment(location.hash) !== model.room) {
    call?.hangUp();
    location.reload();
  }
});

config = loadConfig();
tab = identity.claimTab();
view.name = identity.loadName();
await tab; // it decides whether a call of this tab is to be taken up again
const room = roomFromFragment(location.hash);
if (room !== null) {
  enterRoom(room);
}
if (room !== null && room === identity.activeRoom() && identity.loadName() !== "") {
  start(identity.loadName(), true);
} else {
  update({ phase: "idle" });
}
