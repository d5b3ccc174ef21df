// What the page uses though a browser of the list does not know it, and why nobody misses it there.
//
// In a script an exception holds only where the script asks whether the browser has it, or `asks` for what comes with it,
// or catches what happens without. Each must be needed.

const NO_WINDOW = "its button is there only where the browser has it";

export const SCRIPT_EXCEPTIONS = [
  { what: "Navigator.share", reason: "without it the link goes to the clipboard" },
  { what: "Navigator.wakeLock", reason: "without it the screen goes dark as it always did" },
  { what: "Navigator.permissions", reason: "without it the browser may ask twice" },
  { what: "Permissions.query", reason: "as above" },
  { what: "Document.pictureInPictureElement", asks: "pictureInPictureEnabled", reason: "undefined is no window" },
  { what: "Document.exitPictureInPicture", asks: "pictureInPictureEnabled", reason: NO_WINDOW },
  { what: "HTMLVideoElement.requestPictureInPicture", asks: "pictureInPictureEnabled", reason: NO_WINDOW },
];

export const STYLE_EXCEPTIONS = [
  { what: "text-size-adjust", reason: "elsewhere text does not grow by itself when a phone is turned" },
  { what: "text-wrap", reason: "lines of uneven length are still lines" },
  { what: "cursor: pointer", reason: "iOS has no pointer that could change" },
  { what: "cursor: default", reason: "as above" },
];
