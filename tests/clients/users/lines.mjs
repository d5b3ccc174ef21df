// The lines by which a test and its user speak, for WebSockets with the interface that browsers have: see ../user.mjs.

import { createInterface } from "node:readline";

function tell(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

/** `statusOf` gets the event of a failure, and returns the status of the HTTP answer where the library says it. */
export function obey(socket, statusOf = () => undefined) {
  const orders = createInterface(process.stdin);
  let hasFailed = false;
  socket.addEventListener("open", () => tell("open"));
  socket.addEventListener("message", ({ data }) => tell("text", Buffer.from(data).toString("base64")));
  socket.addEventListener("error", (event) => {
    hasFailed = true;
    tell("failed", statusOf(event) ?? "-");
    orders.close();
  });
  socket.addEventListener("close", ({ code }) => {
    if (!hasFailed) {
      tell("close", code);
    }
  });
  orders.on("line", (line) => {
    const [word, argument] = line.split(" ");
    if (word === "send") {
      socket.send(Buffer.from(argument, "base64").toString());
    } else {
      socket.close(Number(argument));
    }
  });
}
