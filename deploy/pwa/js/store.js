// What the page keeps in the browser, as JSON. Storage may be forbidden or full: the page then works, and only forgets.

export function read(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key));
  } catch {
    return null; // forbidden, or not what we have written
  }
}

/** `null` takes the key away. */
export function write(storage, key, value) {
  try {
    if (value === null) {
      window[storage].removeItem(key);
    } else {
      window[storage].setItem(key, JSON.stringify(value));
    }
  } catch {
    return;
  }
}
