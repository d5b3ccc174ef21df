// The STUN and TURN servers for a call: those of the configuration, and those that the server tells at /ice,
// whose credentials are good for a while. While a call goes on they are fetched anew before that is over, so
// that a connection that has to find another way finds one.

const REFRESH_SHARE = 0.8; // of the time for which they are good
const RETRY_MS = 30000;
const PATIENCE_MS = 5000; // a call must not wait for them for ever
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class IceServers {
  #url;
  #fixed;
  #told = [];
  #timer = null;
  #onChange = () => {};

  /** `url` is asked (null: nobody is); `fixed` are the servers of the configuration. */
  constructor({ url, fixed }) {
    this.#url = url;
    this.#fixed = fixed;
  }

  get list() {
    return [...this.#fixed, ...this.#told];
  }

  /** Fetch them, and again before they expire, until stop(). `onChange` is called with each new list but the
   * first. Returns the first list, when it is there or can't be had. */
  async start(onChange) {
    this.stop();
    await this.#fetch();
    this.#onChange = onChange;
    return this.list;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#onChange = () => {};
  }

  async #fetch() {
    if (this.#url === null) {
      return;
    }
    let nextMs = RETRY_MS;
    const abort = new AbortController();
    const patience = setTimeout(() => abort.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(this.#url, { cache: "no-store", signal: abort.signal });
      if (answer.status === 404) {
        return; // this server has none to tell
      }
      if (!answer.ok) {
        throw new Error(`status ${answer.status}`);
      }
      const { iceServers, ttl } = await answer.json();
      this.#told = iceServers;
      nextMs = Math.min(ttl * 1000 * REFRESH_SHARE, LONGEST_TIMER_MS);
      this.#onChange(this.list);
    } catch (error) {
      console.warn("the servers for a call can't be had:", error.message);
    } finally {
      clearTimeout(patience);
    }
    this.#timer = setTimeout(() => this.#fetch(), nextMs);
  }
}
