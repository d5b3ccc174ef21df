// Who this tab is: the name that its owner typed, and a suffix that sets this tab apart from every other one.
//
// The server treats a second join under the same user as the same person coming back, and closes the first
// connection. So the user id is the name plus a random suffix that lives as long as the tab: a reload comes
// back as the same user, while two people called Anna, or two tabs of one browser, are different users.
// Browsers copy the session storage into a duplicated tab; a lock that each tab holds tells the copy from the
// original.

const NAME_KEY = "homecall.name";
const TAB_KEY = "homecall.tab";
const CREATED_KEY = "homecall.created";
const ACTIVE_KEY = "homecall.active";
const SUFFIX = / #[0-9a-z]{8}$/;
const LOCK_PATIENCE_MS = 1000; // a page that is reloaded frees its lock at once, a tab that was copied never

// Storage may be forbidden altogether. The page then works, and only forgets.
function read(storage, key) {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    if (value === null) {
      window[storage].removeItem(key);
    } else {
      window[storage].setItem(key, value);
    }
  } catch {
    return;
  }
}

function newTab() {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(random, (byte) => (byte % 36).toString(36)).join("");
}

/** Hold the tab's lock until the page goes. False when another tab holds it. */
function holdLock(tab) {
  if (!navigator.locks) {
    return Promise.resolve(true); // no locks outside a secure context: a duplicated tab stays unnoticed
  }
  return new Promise((resolve) => {
    const patience = AbortSignal.timeout(LOCK_PATIENCE_MS);
    const untilTheEnd = () => {
      resolve(true);
      return new Promise(() => {});
    };
    const request = navigator.locks.request(`homecall-tab-${tab}`, { signal: patience }, untilTheEnd);
    request.catch(() => resolve(false));
  });
}

/** Find out which tab this is; call it once. A duplicate of another tab becomes a tab of its own. */
export async function claimTab() {
  const known = read("sessionStorage", TAB_KEY);
  if (known !== null && (await holdLock(known))) {
    return known;
  }
  const tab = newTab();
  write("sessionStorage", TAB_KEY, tab);
  write("sessionStorage", ACTIVE_KEY, null);
  await holdLock(tab);
  return tab;
}

export const loadName = () => read("localStorage", NAME_KEY) ?? "";
export const saveName = (name) => write("localStorage", NAME_KEY, name);

/** The room whose codeword this tab has made up; its side offers at once. */
export const createdRoom = () => read("sessionStorage", CREATED_KEY);
export const rememberCreatedRoom = (room) => write("sessionStorage", CREATED_KEY, room);

/** The room of the call that goes on in this tab, or null: a reload takes it up again. */
export const activeRoom = () => read("sessionStorage", ACTIVE_KEY);
export const rememberActiveRoom = (room) => write("sessionStorage", ACTIVE_KEY, room);

/** The user id to join with. */
export const userId = (name, tab) => `${name} #${tab}`;

/** The name to show for a user id. One from another client has no suffix and is shown as it is. */
export const displayName = (user) => user.replace(SUFFIX, "");
