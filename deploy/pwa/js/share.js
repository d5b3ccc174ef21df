// How a link gets to another person: the system's share sheet, the clipboard, or a QR code.

/** Offer the link to the system's share sheet, or else put it on the clipboard.
 * Returns "shared", "cancelled", "copied", or "manual" when the browser allows neither. */
export async function shareLink(link, { title, text }) {
  if (navigator.share) {
    try {
      await navigator.share({ title, text, url: link });
      return "shared";
    } catch (error) {
      if (error.name === "AbortError") {
        return "cancelled";
      }
    }
  }
  try {
    await navigator.clipboard.writeText(link);
    return "copied";
  } catch {
    return "manual"; // no clipboard outside a secure context, or refused
  }
}

/** Draw the link as a QR code, black on white with the quiet zone that scanners need. */
export async function drawCode(canvas, link) {
  const { generate } = await import("../vendor/lean-qr.mjs");
  generate(link).toCanvas(canvas, { on: [0, 0, 0, 255], off: [255, 255, 255, 255] });
}
