// The device's screen: kept awake during a call, and the other side's picture in a window of its own.

let lock = null;
let isWanted = false;

async function takeLock() {
  try {
    const taken = await navigator.wakeLock.request("screen");
    if (isWanted) {
      lock = taken;
    } else {
      taken.release();
    }
  } catch {
    lock = null; // the battery is low, or the page is not seen
  }
}

/** Keep the screen awake from now on, or no longer. Browsers end it whenever the page is hidden. */
export function keepAwake(shouldStayAwake) {
  if (isWanted === shouldStayAwake || !("wakeLock" in navigator)) {
    return;
  }
  isWanted = shouldStayAwake;
  if (isWanted) {
    takeLock();
  } else {
    lock?.release();
    lock = null;
  }
}

document.addEventListener("visibilitychange", () => isWanted && !document.hidden && takeLock());

/** Whether the browser can show this video in a window of its own. */
export const hasWindow = (video) =>
  document.pictureInPictureEnabled === true || video.webkitSupportsPresentationMode?.("picture-in-picture") === true;

/** Show it there, or back in the page. */
export async function toggleWindow(video) {
  if (document.pictureInPictureEnabled) {
    await (document.pictureInPictureElement === video ? document.exitPictureInPicture() : video.requestPictureInPicture());
  } else {
    const isInline = video.webkitPresentationMode === "inline";
    video.webkitSetPresentationMode(isInline ? "picture-in-picture" : "inline");
  }
}

/** Back into the page. */
export function closeWindow(video) {
  if (document.pictureInPictureElement === video) {
    document.exitPictureInPicture().catch(() => {}); // it has been closed meanwhile
  } else if (video.webkitPresentationMode === "picture-in-picture") {
    video.webkitSetPresentationMode("inline");
  }
}
