// Who uses this page, and the call that a reload takes up again.

import { randomId } from "./random.js";
import { read, write } from "./store.js";

const NAME_KEY = "homecall.name";
const DEVICE_KEY = "homecall.device";
const ACTIVE_KEY = "homecall.active";
const SUFFIX = / #[0-9a-z]{8}$/;

export const loadName = () => {
  const name = read("localStorage", NAME_KEY);
  return typeof name === "string" ? name : "";
};
export const saveName = (name) => write("localStorage", NAME_KEY, name);

/** What sets this device apart from others for the people whom it calls: random, and told to them alone. */
export function deviceId() {
  let device = read("localStorage", DEVICE_KEY);
  if (typeof device !== "string") {
    device = randomId(16);
    write("localStorage", DEVICE_KEY, device);
  }
  return device;
}

/** The name to show for a user of another client, which may have put a suffix behind it. */
export const displayName = (user) => user.replace(SUFFIX, "");

/** Take the room of the call that went on in this tab when its page was reloaded, or null. */
export function takeActiveRoom() {
  const room = read("sessionStorage", ACTIVE_KEY);
  write("sessionStorage", ACTIVE_KEY, null);
  return typeof room === "string" ? room : null;
}

/** From now on a reload takes up the call that `activeRoom` names when it happens. What says so is stored only while
 * nobody looks at the page: so the duplicate of a tab has none, and is a caller of its own. */
export function keepActiveRoom(activeRoom) {
  const keep = () => write("sessionStorage", ACTIVE_KEY, activeRoom());
  addEventListener("pagehide", keep);
  document.addEventListener("visibilitychange", () =>
    document.hidden ? keep() : write("sessionStorage", ACTIVE_KEY, null),
  );
}
