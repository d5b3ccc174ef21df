/** Given by the server, one for each session. */
export type PeerId = string;

export interface Peer<D = unknown> {
  readonly id: PeerId;
  /** Names a person; empty where none was given. */
  readonly user: string;
  readonly data: D | null;
  /** Rises with each session of the room, and is never used again. The lower one of two offers. */
  readonly order: number;
  /** Its connection is lost, and it may come back. */
  readonly isAway: boolean;
  /** Of the protocol that it speaks. */
  readonly version: 1 | 2;
  /** Its id in a session that it has lost: what was connected to that one may still be. */
  readonly formerly?: PeerId;
}

/**
 * `idle` before join() and after leave(); `resuming`: there is a session, but no connection; `closed`: for
 * good.
 */
export type State = "idle" | "connecting" | "joined" | "resuming" | "closed";

/** `replaced`: another connection has shown the token of this session. `lost`: told by no server. */
export type ErrorCode =
  | "invalid"
  | "not-joined"
  | "room-full"
  | "no-such-peer"
  | "queue-full"
  | "rate-limited"
  | "too-large"
  | "busy"
  | "unsupported"
  | "not-allowed"
  | "replaced"
  | "lost";

export class SignalError extends Error {
  constructor(code: ErrorCode, message?: string, isFatal?: boolean, retryAfterMs?: number | null);
  readonly code: ErrorCode;
  /** The server closes the connection after it. */
  readonly isFatal: boolean;
  readonly retryAfterMs: number | null;
}

/** An answer of negotiate() names its offer, by the origin line of that: what follows "o=". */
export interface Description extends RTCSessionDescriptionInit {
  inReplyTo?: string;
}

/** `candidate: null` is the end of candidates, `signal` what an application likes. */
export type Signal =
  | { type: "offer" | "answer"; sdp: Description | string }
  | { type: "candidate"; candidate: RTCIceCandidateInit | null }
  | { type: "signal"; data: unknown };

export interface Joined<D = unknown> {
  self: Peer<D>;
  /** The same as `SignalClient.peers`: it goes on changing. */
  peers: ReadonlyMap<PeerId, Peer<D>>;
  isResumed: boolean;
  /** In a resumed session only when those told before are past half their life: for setConfiguration(). */
  iceServers?: RTCIceServer[];
}

export interface Options<D = unknown> {
  /** Names the person. A second session of the same user does not end the first. */
  user?: string;
  /** At most 1 KiB of JSON that the others see: a name, muted, camera off. */
  data?: D;
  /**
   * Keeps the token over a reload; written when the page is hidden, emptied when it is seen. sessionStorage
   * unless set. One for each client: a second one in the same page needs a store of its own.
   */
  store?: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  /** How long to wait before attempt `attempt` (from 0), in ms. Full jitter, 0.5 s to 15 s, unless set. */
  backoff?: (attempt: number) => number;
  /** How long to go on without a session before `closed`. Infinity unless set. */
  giveUpAfterMs?: number;
  /** For Node.js before 22, and for tests. */
  WebSocket?: new (url: string, protocols: string[]) => any;
}

export interface Events<D = unknown> {
  /** Also with `state` unchanged, for each attempt to come: `retryInMs` tells when. */
  state: { state: State; previous: State; retryInMs: number | null };
  /**
   * A fresh session: what was sent before may be lost. A peer whose `formerly` is known keeps its connection.
   */
  joined: Joined<D>;
  /** The session goes on: nothing was lost, and nothing will come twice. */
  resumed: Joined<D>;
  "peer-joined": Peer<D>;
  "peer-changed": Peer<D>;
  "peer-away": Peer<D>;
  "peer-back": Peer<D>;
  "peer-left": Peer<D> & { reason: "left" | "lost" | "replaced"; text: string | null };
  /** `from` has the order 0 when it has left before we came. */
  signal: { from: Peer<D>; signal: Signal };
  /** Whatever the server refuses, also what send() and join() reject with. */
  error: SignalError;
  /** No more attempts. `error` is null after close(), and after a join that its `signal` has ended. */
  closed: { code: number; error: SignalError | null };
}

export class SignalClient<D = unknown> {
  /** Does nothing but take the token out of the store. A function is asked before each attempt. */
  constructor(url: string | URL | (() => string | URL | Promise<string | URL>), options?: Options<D>);
  readonly state: State;
  /** Null without a session. */
  readonly self: Peer<D> | null;
  /** The others in the room, in no order. */
  readonly peers: ReadonlyMap<PeerId, Peer<D>>;
  /**
   * One until leave() or close(). Goes on trying until it is in; rejects when the server refuses (room-full,
   * invalid, too-large), with "lost" when giveUpAfterMs is over, or with the reason of `signal`. After close(),
   * and after giving up, it takes over the place in the same room.
   */
  join(room: string, options?: { signal?: AbortSignal }): Promise<Joined<D>>;
  /**
   * To one peer, or to all others. Resolves when the server has taken it; kept and sent again over a loss.
   * Rejects with the server's code when it is refused, and with "lost" when the session could not be resumed.
   * Before the first `joined` it waits for that. Need not be awaited: order is kept, and a rejection that
   * nobody handles is no fault.
   */
  send(signal: Signal, to?: PeerId): Promise<void>;
  /** Tell the others new `data`. Outlives a lost session. What is refused is as if it had not been asked for. */
  update(data: D): Promise<void>;
  /**
   * Ask whether the connection is alive, at once: when not, the client comes back some 3 s later. For who knows
   * that something is wrong; negotiate() asks when media has stopped.
   */
  check(): void;
  /**
   * Resolves when the server has let us go, or can't be reached: then it goes on being tried for as long as the
   * session is kept, so the others are told as soon as may be. They get the first 256 bytes of `text`.
   */
  leave(text?: string): Promise<void>;
  /** Without leaving: the session may be taken up by another page load. */
  close(): void;
  /** Returns a function that takes the handler off again. */
  on<K extends keyof Events<D>>(type: K, handler: (event: Events<D>[K]) => void): () => void;
}

/**
 * Perfect negotiation with one peer: call it in the task that adds the first track. Polite is the one with
 * the higher order, and always the one of version 2 before one of version 1. It makes the first offer only when
 * the other has made none for 1 s, or for 2.5 s where that is of version 1. Restarts ICE when it is disconnected
 * or has failed, when the network is back, and after a fresh join of either side; follows a peer to its new id
 * when `formerly` tells it. An offer that the other end could not take is made again every 3 s. What the
 * connection refuses is told by console.warn().
 */
export function negotiate(
  pc: RTCPeerConnection,
  client: SignalClient<any>,
  peer: Peer,
  options?: { polite?: boolean },
): { stop(): void };
