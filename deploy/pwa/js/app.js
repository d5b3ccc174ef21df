// The wires: configuration, the room in the address, the buttons, and one call at a time.
//
// This is the only module that knows all the others. It holds the model that the view draws; every change goes through
// update().

import { Call } from "./call.js";
import { contactLink, inviteLink, newCodeword, readFragment, roomFromText } from "./codeword.js";
import { Contacts, agree } from "./contacts.js";
import { IceServers } from "./ice.js";
import * as identity from "./identity.js";
import { Media } from "./media.js";
import { registerOfflineShell } from "./offline.js";
import { watchQuality } from "./quality.js";
import { closeWindow, keepAwake } from "./screen.js";
import { shareLink } from "./share.js";
import { loadStrings, pickLanguage, translator } from "./text.js";
import { View } from "./view/page.js";

const AWAKE = ["asking", "connecting", "waiting", "answering", "incall", "full"];
const TAKEN_UP = ["connecting", "waiting", "answering", "incall", "full"]; // again, by a reload

const language = pickLanguage(navigator.languages);
const t = translator(await loadStrings(language));
const contacts = new Contacts();
const media = new Media({ onChange: onMediaChange, onTrack: (kind, track) => call?.replace(kind, track) });
const view = new View({
  language,
  t,
  handlers: {
    onStart,
    onName: identity.saveName,
    onContact,
    onRoom,
    onWithout,
    onLook,
    onHome,
    onHangUp,
    onShare: () => shareLink(model.link, { title: t("product"), text: t("share_text") }),
    onToggle: (kind) => media.toggle(kind),
    onFlip: () => media.flip(),
    onDevices: () => media.devices(),
    onChoose,
    onContactSaved,
    onContactExported: (contact) => shareLink(contactLink(contact), { title: t("product"), text: contact.name }),
    onContactRemoved: (contact) => changeContacts(() => contacts.remove(contact.id)),
    onContactDeclined: onHome,
  },
});

// phase: "loading" (only before the first drawing), "idle", "asking" (the browser asks for the devices), "refused" (its
// user has said no), and those of call.js.
const NO_CALL = {
  isServerLost: false,
  isInterrupted: false, // the other side is not heard of
  partner: null, // the other side, as call.js describes it
  reason: null, // why the call has ended, as call.js says it
  message: "", // the words that go with it
  since: null, // when the call began
  quality: null,
  isLooking: false, // at oneself, before a call
};
const model = {
  ...NO_CALL,
  phase: "idle",
  isOffline: !navigator.onLine,
  isInvited: false, // came by a link
  inviter: null, // their name, where the link has it
  room: null,
  link: null,
  contact: null, // whose room it is
  contacts: contacts.list,
  offered: null, // a contact that a link has brought
  media: { audio: "none", video: "none" },
  facing: "user",
  hasMoreCameras: false,
};

let config; // a promise of the configuration
let call = null;
let isStarting = false; // the devices are being asked for, so the call before has nothing to say
let proposal = null; // the room that we would take for this contact

function update(change) {
  Object.assign(model, change);
  view.render(model);
  keepAwake(AWAKE.includes(model.phase));
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

// Where a call goes.

/** From now on this is the room that is called. An invitation stays in the address as it came. */
function enter(room, { isInvited = false, inviter = null } = {}) {
  const link = inviteLink(room, identity.loadName());
  if (!isInvited) {
    history.replaceState(null, "", link);
  }
  update({ room, link, isInvited, inviter, contact: contacts.ofRoom(room), offered: null });
}

function onContact(contact) {
  enter(contact.room);
  start();
}

function onRoom(text) {
  const room = roomFromText(text);
  if (room !== null) {
    enter(room);
    start();
  }
  return room !== null;
}

function onHome() {
  isStarting = false;
  call?.leave();
  call = null;
  media.close();
  history.replaceState(null, "", location.pathname);
  const nowhere = { room: null, link: null, isInvited: false, inviter: null, contact: null, offered: null };
  update({ ...nowhere, ...NO_CALL, phase: "idle" });
}

// A call begins.

function onStart() {
  if (model.room === null) {
    enter(newCodeword());
  }
  start();
}

/** Call, call again, answer, or take a call up after a reload. */
async function start() {
  isStarting = true;
  update({ ...NO_CALL, partner: model.partner, isLooking: model.isLooking, phase: "connecting" });
  if (media.isOpen || (await openMedia())) {
    begin();
  }
}

/** True when the call may begin. */
async function openMedia() {
  const opened = await media.open(() => update({ phase: "asking" }));
  if (opened === "refused") {
    update({ phase: "refused", isLooking: false });
  }
  return opened === "open";
}

function onWithout() {
  media.openNothing();
  update({ phase: "connecting" });
  begin();
}

async function begin() {
  update({ phase: "connecting", isLooking: false, link: inviteLink(model.room, identity.loadName()) });
  view.showLocal(media.stream);
  const { signalUrl, ice } = await config;
  await ice.start(() => call?.iceServersChanged());
  if (model.phase !== "connecting") {
    return; // hung up meanwhile
  }
  if (call !== null && call.room !== model.room) {
    call.leave();
    call = null;
  }
  call ??= newCall({ signalUrl, ice });
  isStarting = false;
  proposal = null;
  call.begin(model.room);
}

function newCall({ signalUrl, ice }) {
  const created = new Call({
    signalUrl,
    name: identity.loadName(),
    device: identity.deviceId(),
    media,
    iceServers: () => ice.list,
    events: {
      onChange: (state) => created === call && !isStarting && update(state),
      onStream: (stream) => view.showRemote(stream),
      onEnd,
      onMet,
      onTold,
    },
  });
  return created;
}

/** The call has ended: give the devices back. */
function onEnd() {
  config.then(({ ice }) => ice.stop());
  media.close();
  closeWindow(view.remoteVideo);
  update({ quality: null });
}

function onHangUp() {
  if (call !== null && !call.isAtRest) {
    call.hangUp();
  } else {
    isStarting = false;
    media.close();
    update({ phase: call === null ? "idle" : "ended", reason: "hangup", isLooking: false });
  }
}

// Devices.

function onMediaChange() {
  const states = { audio: media.state("audio"), video: media.state("video") };
  update({ media: states, facing: media.facing, hasMoreCameras: media.hasMoreCameras });
  call?.onMedia();
}

async function onLook() {
  if (model.isLooking) {
    media.close();
    update({ isLooking: false });
    return;
  }
  if (await openMedia()) {
    view.showLocal(media.stream);
    update({ phase: "idle", isLooking: true });
  }
}

function onChoose(kind, id) {
  media.choose(kind, id);
  if (kind === "output") {
    useOutput();
  }
}

function useOutput() {
  const id = media.output;
  const failed = (error) => console.warn("setSinkId:", error.message); // it has been unplugged: the usual one plays
  if (id !== null) {
    view.remoteVideo.setSinkId?.(id).catch(failed);
  }
}

// Contacts.

function changeContacts(change) {
  change();
  update({ contacts: contacts.list, contact: model.room === null ? null : contacts.ofRoom(model.room) });
}

function onContactSaved(contact, name, isNew) {
  if (isNew) {
    contacts.add({ ...contact, name });
    onHome();
    changeContacts(() => {});
  } else {
    changeContacts(() => contacts.rename(contact.id, name));
  }
}

/** Two tabs of one browser are no contacts of each other; clients of version 1 have nothing to agree with. */
const isSomebodyElse = ({ device }) => device !== null && device !== identity.deviceId();

/** The two of us are connected: tell them the room that we would take to call again. */
function onMet(partner) {
  if (isSomebodyElse(partner)) {
    proposal ??= contacts.propose(partner.device, model.room);
    call.tell({ contact: proposal });
  }
}

function onTold(data) {
  const { partner } = model;
  const theirs = data?.contact;
  const isProposal = typeof theirs?.room === "string" && theirs.room !== "" && typeof theirs.isKnown === "boolean";
  if (!isProposal || partner === null || !isSomebodyElse(partner)) {
    return;
  }
  proposal ??= contacts.propose(partner.device, model.room);
  const [first, second] = partner.isFirst ? [theirs, proposal] : [proposal, theirs];
  const { device, name } = partner;
  changeContacts(() => contacts.meet({ device, name, room: agree(first, second), callRoom: model.room }));
}

// The page comes, goes and moves on.

identity.keepActiveRoom(() => (TAKEN_UP.includes(model.phase) ? model.room : null));
addEventListener("pagehide", () => call?.isAtRest && call.leave());
addEventListener("pageshow", (event) => event.persisted && location.reload());
for (const type of ["online", "offline"]) {
  addEventListener(type, () => update({ isOffline: type === "offline" }));
}

// Another link was put into the address bar: it is meant for this page, but not for the call that goes on.
addEventListener("hashchange", () => {
  if (readFragment(location.hash).room !== model.room) {
    call?.leave();
    location.reload();
  }
});

config = loadConfig();
registerOfflineShell();
watchQuality(
  () => (model.phase === "incall" ? (call?.pc ?? null) : null),
  (quality) => quality !== model.quality && update({ quality }),
);
useOutput();
const name = identity.loadName();
view.name = name;
const { room, from, contact } = readFragment(location.hash);
const active = identity.takeActiveRoom();
if (contact !== null) {
  update({ phase: "idle", offered: { name: contact, room } });
} else if (room !== null) {
  const isOwn = from === name && name !== "";
  enter(room, { isInvited: !isOwn && contacts.ofRoom(room) === null, inviter: isOwn ? null : from });
  update({ phase: "idle" });
} else {
  update({ phase: "idle" });
}
if (room !== null && room === active && name !== "") {
  start();
}
