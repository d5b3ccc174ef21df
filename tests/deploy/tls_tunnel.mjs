// tls_tunnel.mjs PORT TARGET_PORT SERVER_NAME CA_FILE: for clients that can't name whom they ask. What comes to PORT of the
// loopback goes on inside TLS, to TARGET_PORT, for SERVER_NAME.

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { connect } from "node:tls";

const [port, targetPort, servername, ca] = process.argv.slice(2);
const target = { host: "127.0.0.1", port: Number(targetPort), servername, ca: readFileSync(ca) };

createServer((plain) => {
  const secure = connect(target);
  for (const [one, other] of [[plain, secure], [secure, plain]]) {
    one.pipe(other);
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}).listen(Number(port), "127.0.0.1");
