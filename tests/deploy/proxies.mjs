// The four proxies: what a test changes in the configuration that we ship, and how each is checked and started.
//
// A change may touch only what an operator is told to change: the lines under an "EDIT" comment, up to the next empty
// line. So what is tested is what ships.

import { userInfo } from "node:os";

/** Make `changes`, pairs of a pattern and its replacement, in the marked lines of `text`, or in all of them if it `isWholeFree`.
 * Each must find its place. */
export function edit(text, changes, isWholeFree = false) {
  const unused = new Set(changes);
  let isMarked = false;
  const lines = text.split("\n").map((line) => {
    const isComment = /^\s*#/.test(line);
    isMarked = line.trim() !== "" && (isMarked || (isComment && line.includes("# EDIT")));
    if (isComment || !(isMarked || isWholeFree)) {
      return line;
    }
    return changes.reduce((edited, change) => {
      const [pattern, replacement] = change;
      if (!pattern.test(edited)) {
        return edited;
      }
      unused.delete(change);
      return edited.replace(pattern, () => replacement);
    }, line);
  });
  if (unused.size > 0) {
    throw new Error(`no marked line has ${[...unused].map(([pattern]) => pattern).join(", ")}`);
  }
  return lines.join("\n");
}

const isRoot = process.getuid() === 0;

// For another page than ours, an operator changes the policy as well.
const POLICY = [/img-src 'self'/, "img-src 'self' data:"];

/* The functions are given the place where a proxy runs: `directory` with the certificate in it, `page`, and the ports
 * `http`, `https`, `signal`, `files` and `certbot`, and `webroot`.
 *   file           ours, in deploy/proxy or another `folder`, which becomes `directory`/`file` with its `changes`
 *   surroundings   further files, by name: what Debian's package has around ours
 *   check, run     command lines, the second one staying in the foreground
 *   environment    for both
 *   pageServer     the same of a server for the page, where the proxy is none: its own `file`, `changes` and `run`
 *   challenge      how a question of the certificate authority is answered: from a file below `webroot`, or by a server at
 *                  the port `certbot`; where it is not, the proxy does that by itself
 *   limitsCallers  does it bound the callers from one address?
 *   upgradeStatus  what its log tells of a WebSocket, where that is not 101 */
const caddy = {
  name: "Caddy",
  file: "Caddyfile",
  upgradeStatus: 0,
  changes: ({ directory, page, http, https, signal }) => [
    [/http_port 80$/, `http_port ${http}`],
    [/https_port 443$/, `https_port ${https}\n\tdefault_bind 127.0.0.1`],
    [/admin .*/, "admin off"],
    [/call\.example\.org/, "localhost"],
    [/tls .*/, `tls ${directory}/cert.pem ${directory}/key.pem`],
    [/127\.0\.0\.1:8888/, `127.0.0.1:${signal}`],
    [/\/usr\/share\/homecall-signal\/pwa/, page],
    POLICY,
  ],
  check: ({ directory }) => ["caddy", "validate", "--adapter", "caddyfile", "--config", `${directory}/Caddyfile`],
  run: ({ directory }) => ["caddy", "run", "--adapter", "caddyfile", "--config", `${directory}/Caddyfile`],
  environment: ({ directory }) => ({ XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory }),
};

const NGINX_TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

const nginx = {
  name: "nginx",
  file: "nginx.conf",
  limitsCallers: true,
  challenge: "webroot",
  changes: ({ directory, page, webroot, http, https, signal }) => [
    [/127\.0\.0\.1:8888/, `127.0.0.1:${signal}`],
    [/listen \[::\].*/, ""],
    [/\/var\/www\/html/, webroot],
    [/listen 80;/, `listen 127.0.0.1:${http};`],
    [/listen 443 /, `listen 127.0.0.1:${https} `],
    [/call\.example\.org;/, "localhost;"],
    [/\/etc\/letsencrypt\/live\/call\.example\.org\/fullchain\.pem/, `${directory}/cert.pem`],
    [/\/etc\/letsencrypt\/live\/call\.example\.org\/privkey\.pem/, `${directory}/key.pem`],
    [/\/usr\/share\/homecall-signal\/pwa/, page],
    [/\/var\/log\/nginx/, `${directory}/log`],
    POLICY,
  ],
  surroundings: ({ directory }) => ({
    "main.conf": `
      daemon off;
      ${isRoot ? `user ${userInfo().username};` : ""}
      worker_processes 2;
      pid ${directory}/pid;
      error_log ${directory}/log/error.log;
      events { worker_connections 768; }
      http {
        ${NGINX_TEMPORARY.map((of) => `${of}_temp_path ${directory}/${of};`).join(" ")}
        include /etc/nginx/mime.types;
        default_type application/octet-stream;
        access_log ${directory}/log/access.log;
        gzip on;
        include ${directory}/nginx.conf;
      }`,
  }),
  check: ({ directory }) => ["nginx", "-t", "-e", "stderr", "-p", directory, "-c", `${directory}/main.conf`],
  run: ({ directory }) => ["nginx", "-e", "stderr", "-p", directory, "-c", `${directory}/main.conf`],
};

const APACHE_BY_DEFAULT = [
  "mpm_event", "authz_core", "alias", "dir", "mime", "filter", "deflate", "setenvif", "reqtimeout", "env",
];

/** What is enabled after the a2enmod that our file asks for; it brings along what mod_ssl needs. */
function enabledModules(ours) {
  const [, names] = ours.match(/a2enmod ([\w ]+)/);
  return [...APACHE_BY_DEFAULT, "socache_shmcb", ...names.trim().split(" ")];
}

// Not every module has a .conf; a pattern may match nothing.
const enable = (name) => `Include mods-available/${name}.load\nIncludeOptional mods-available/${name}.con[f]`;

const apache = {
  name: "Apache",
  file: "apache.conf",
  challenge: "webroot",
  changes: ({ directory, page, webroot, http, https, signal }) => [
    [/WEBROOT .*/, `WEBROOT ${webroot}`],
    [/HOST_NAME .*/, "HOST_NAME localhost"],
    [/CERTIFICATE .*/, `CERTIFICATE ${directory}/cert.pem`],
    [/CERTIFICATE_KEY .*/, `CERTIFICATE_KEY ${directory}/key.pem`],
    [/PAGE_DIR .*/, `PAGE_DIR ${page}`],
    [/WS_PORT .*/, `WS_PORT ${signal}`],
    [/HTTP_PORT .*/, `HTTP_PORT ${http}`],
    [/HTTPS_PORT .*/, `HTTPS_PORT ${https}`],
    [/LOG_DIR .*/, `LOG_DIR ${directory}/log`],
    POLICY,
  ],
  surroundings: ({ directory, http, https }, ours) => ({
    "main.conf": `
      ServerRoot /etc/apache2
      DefaultRuntimeDir ${directory}
      PidFile ${directory}/pid
      ErrorLog ${directory}/log/error.log
      ServerName localhost
      Timeout 300
      ${isRoot ? "User www-data\nGroup www-data" : ""}
      ${enabledModules(ours).map(enable).join("\n")}
      <Directory />
        AllowOverride None
        Require all denied
      </Directory>
      Listen 127.0.0.1:${http} http
      Listen 127.0.0.1:${https} https
      Include ${directory}/apache.conf`,
  }),
  check: ({ directory }) => ["apache2", "-t", "-f", `${directory}/main.conf`],
  run: ({ directory }) => ["apache2", "-DFOREGROUND", "-f", `${directory}/main.conf`],
  environment: ({ directory }) => ({ APACHE_RUN_DIR: directory, APACHE_LOG_DIR: `${directory}/log` }),
};

const haproxy = {
  name: "HAProxy",
  file: "haproxy.cfg",
  limitsCallers: true,
  challenge: "certbot",
  changes: ({ directory, http, https, signal, files, certbot }) => [
    [/log \/dev\/log local0/, "log stdout format raw local0"],
    [/(user|group|chroot) .*/, ""],
    [/bind :::80 v4v6/, `bind 127.0.0.1:${http}`],
    [/bind :::443 v4v6/, `bind 127.0.0.1:${https}`],
    [/\/etc\/haproxy\/certs\//, `${directory}/certs/`],
    [/127\.0\.0\.1:8888/, `127.0.0.1:${signal}`],
    [/wss:\/\/call\.example\.org/, "wss://localhost"],
    [/127\.0\.0\.1:8080/, `127.0.0.1:${files}`],
    [/127\.0\.0\.1:8402/, `127.0.0.1:${certbot}`],
    POLICY,
  ],
  check: ({ directory }) => ["haproxy", "-c", "-f", `${directory}/haproxy.cfg`],
  run: ({ directory }) => ["haproxy", "-db", "-f", `${directory}/haproxy.cfg`],
  pageServer: {
    file: "Caddyfile.page",
    changes: ({ page, files }) => [
      [/admin .*/, "admin off"],
      [/:8080/, `:${files}`],
      [/\/usr\/share\/homecall-signal\/pwa/, page],
    ],
    run: ({ directory }) => ["caddy", "run", "--adapter", "caddyfile", "--config", `${directory}/Caddyfile.page`],
  },
  environment: caddy.environment,
};

/** The web service of the compose file, outside of its container: what the image and the compose file give it is changed, and
 * nothing of it is for an operator to edit but the environment. */
export const composeWeb = {
  name: "Caddy of the compose file",
  folder: "compose",
  file: "Caddyfile",
  isWholeFree: true,
  changes: ({ page, http, https, signal, files }) => [
    [/http_port 8080/, `http_port ${http}`],
    [/https_port 8443/, `https_port ${https}\n\tadmin off\n\tdefault_bind 127.0.0.1`],
    [/\/srv\/pwa/, page],
    [/name signals/, "name 127.0.0.1"],
    [/port 8888/, `port ${signal}`],
    [/127\.0\.0\.1:8081/, `127.0.0.1:${files}`],
  ],
  check: caddy.check,
  run: caddy.run,
  environment: (place) => ({ ...caddy.environment(place), HOST_PUBLIC: "localhost" }),
};

export const proxies = [caddy, nginx, apache, haproxy];
