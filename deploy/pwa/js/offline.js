// Without the network the page is there all the same: a service worker keeps its files.

/** Does nothing where there are no service workers. Never rejects. */
export async function registerOfflineShell() {
  try {
    await navigator.serviceWorker?.register("sw.js");
  } catch (error) {
    console.warn("the page is not kept for later:", error.message);
  }
}
