// The camera and the microphone: as much of them as the browser and its owner allow.
//
// A call is worth having without a camera, and even without a microphone, so each refusal leads to the next
// smaller wish instead of an end: both, then sound alone, then picture alone, then nothing but receiving.

const VIDEO = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };
const WISHES = [{ audio: true, video: VIDEO }, { audio: true }, { video: VIDEO }];

/** A MediaStream with what could be had, perhaps without any track. Never rejects. */
export async function openMedia() {
  for (const wish of WISHES) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch {
      continue; // refused, no such device, taken by another program, or no secure context
    }
  }
  return new MediaStream();
}

/** "full", "audio", "video" or "none". */
export function mediaKind(stream) {
  const hasAudio = stream.getAudioTracks().length > 0;
  const hasVideo = stream.getVideoTracks().length > 0;
  if (hasAudio) {
    return hasVideo ? "full" : "audio";
  }
  return hasVideo ? "video" : "none";
}

export function closeMedia(stream) {
  stream.getTracks().forEach((track) => track.stop());
}
