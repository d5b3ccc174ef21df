// Compiled by package.test.mjs, not run: a program uses all that signal.d.ts tells.
import { Joined, Peer, Signal, SignalClient, SignalError, State, negotiate } from "@homecall/signal";

interface Data {
  muted: boolean;
}

export async function call(pc: RTCPeerConnection): Promise<string> {
  const client = new SignalClient<Data>(async () => new URL("wss://call.example/signal"), {
    user: "Anna",
    data: { muted: false },
    store: sessionStorage,
    backoff: (attempt) => 100 * attempt,
    giveUpAfterMs: 60000,
    WebSocket,
  });
  const off = client.on("peer-left", ({ user, reason, text }) => console.log(user, reason, text ?? "no text"));
  client.on("signal", ({ from, signal }) => {
    const kind: Signal["type"] = signal.type;
    console.log(from.data?.muted, kind, signal.type === "candidate" ? signal.candidate : signal);
  });
  client.on("closed", ({ code, error }) => error instanceof SignalError && console.log(code, error.code));
  // @ts-expect-error: there is no such event
  client.on("peer-dances", () => {});
  // @ts-expect-error: nor such data
  void client.update({ deaf: true });
  // @ts-expect-error: peers are the client's to change
  client.peers.clear();
  const joined: Joined<Data> = await client.join("room", { signal: new AbortController().signal });
  const other: Peer<Data> | undefined = [...joined.peers.values()][0];
  const { stop } = negotiate(pc, client, other!, { polite: true });
  await client.send({ type: "offer", sdp: pc.localDescription! }, other!.id);
  await client.update({ muted: true });
  client.check();
  await client.leave("bye");
  stop();
  off();
  client.close();
  const state: State = client.state;
  return state;
}
