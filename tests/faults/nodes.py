"""The nodes of a cluster, their engines, and the load of homecall-bench, as processes. All of it is on the loopback of a network of
its own (cluster.sh), in which nobody else listens, so the ports are fixed."""
import json
import os
import signal
import socket
import subprocess
import time

ENGINE = "nats-server"
SANITIZERS = ("asan", "tsan")


class Failed(Exception):
    """Something does not start, or does not end well."""


def until(is_done, seconds, what):
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() >= end:
            raise Failed("%s, after %g s" % (what, seconds))
        time.sleep(0.02)


def listens(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


class Process:
    def __init__(self, command, log, **more):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, **more)

    def tell(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, seconds=30):
        """End it in this way. Returns what it ended with."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.wait()
            raise Failed("%s does not end" % self.log) from error

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()


class Engine:
    """The NATS server number `i` from 0 on, of `count` that know each other. Each is at an address of its own besides, so that
    a way to it can be cut: that of clients, 127.0.0.10 and so on, and that of the other engines, 127.0.0.20 and so on."""

    def __init__(self, folder, i=0, count=1, password="right"):
        self.folder, self.i, self.port, self.process = folder, i, 4222 + i, None
        self.routes = ["nats://127.0.0.%d:%d" % (20 + j, 6222 + j) for j in range(count) if j != i]
        self.start(password)

    def url(self, host="127.0.0.1"):
        return "nats://%s:%d" % (host, self.port)

    def start(self, password="right"):
        path = os.path.join(self.folder, "engine-%d.conf" % self.i)
        with open(path, "w", encoding="utf-8") as out:
            out.write('server_name: engine-%d\nlisten: "0.0.0.0:%d"\n' % (self.i, self.port))
            out.write('authorization { users: [{ user: u, password: "%s",\n' % password)
            out.write('    permissions: { publish: "hc.>", subscribe: "hc.>" } }] }\n')
            if self.routes:
                out.write('cluster { name: c, listen: "0.0.0.0:%d", no_advertise: true, routes: [%s] }\n' %
                          (6222 + self.i, ", ".join(self.routes)))
        self.process = Process([ENGINE, "-c", path], os.path.join(self.folder, "engine-%d.log" % self.i))
        until(lambda: listens(self.port), 10, "nats-server does not listen")

    def routes_made(self):
        """How often it has found another engine."""
        return self.process.text().count("Route connection created")

    def kill(self):
        self.process.end(signal.SIGKILL)

    def pause(self):
        self.process.tell(signal.SIGSTOP)

    def go_on(self):
        self.process.tell(signal.SIGCONT)


class Node:
    """The server number `i` from 0 on."""

    def __init__(self, stage, i, url, **options):
        self.stage, self.i, self.port = stage, i, 8000 + i
        self.options = {"CLUSTER_URL": url, "CLUSTER_NODE": "node-%d" % i, "WS_PORT": str(self.port), **options}
        self.process = None
        self.start()

    def start(self):
        folder = self.stage.folder
        environment = {
            "PATH": os.environ["PATH"], "WS_HOST": "127.0.0.1", "ADMIN_PORT": "off", "WORKERS": "2", "MESSAGE_RATE": "0",
            "OVERLOAD_LAG_MS": "0",  # the machine may be slow
            "CLUSTER_USER": "u", "CLUSTER_PASSWORD_FILE": os.path.join(folder, "password"),
            "CLUSTER_SECRET_FILE": os.path.join(folder, "secret"), **self.options}
        for name in SANITIZERS:
            environment[name.upper() + "_OPTIONS"] = "%s:log_path='%s':suppressions='%s'" % (
                "exitcode=66", os.path.join(folder, name), self.stage.suppressions[name])
        self.process = Process([self.stage.binary, "--env-file", "/dev/null"],
                               os.path.join(folder, "node-%d.log" % self.i), env=environment)
        try:
            until(lambda: self.process.process.poll() is not None or listens(self.port), 20, "a node does not listen")
        finally:
            if self.process.process.poll() is not None:
                raise Failed("a node does not start: %s" % self.process.text()[-500:])

    def engine_events(self):
        """How often it has told that its engine is there."""
        return self.process.text().count("the engine is there")

    def kill(self):
        self.process.end(signal.SIGKILL)

    def drain(self):
        self.process.tell(signal.SIGTERM)

    def pause(self):
        self.process.tell(signal.SIGSTOP)

    def go_on(self):
        self.process.tell(signal.SIGCONT)


class Load:
    """homecall-bench, which checks every signal."""

    def __init__(self, stage, nodes, *arguments):
        self.json = os.path.join(stage.folder, "load.json")
        self.process = Process(
            [stage.bench, *arguments, "--quiet", "--json", self.json] + ["ws://127.0.0.1:%d/signal" % n.port for n in nodes],
            os.path.join(stage.folder, "load.log"))

    def is_running(self):
        return self.process.process.poll() is None

    def finish(self, seconds):
        """What it counted; that something was lost, doubled, late or in disorder is a failure."""
        try:
            code = self.process.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Failed("the load does not end") from error
        if code != 0:
            raise Failed("the load: %s" % self.process.text()[-500:])
        with open(self.json, encoding="utf-8") as report:
            return json.load(report)


class Stage:
    """A folder, the processes in it, and what ends them."""

    def __init__(self, folder, binary, bench, suppressions):
        self.folder, self.binary, self.bench = folder, binary, bench
        self.engines, self.nodes, self.loads = [], [], []
        self.suppressions = {"asan": "", "tsan": suppressions}
        for name, text in (("password", "right\n"), ("secret", "s" * 64 + "\n")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
            os.chmod(os.path.join(folder, name), 0o600)

    def start_engines(self, count=1):
        self.engines += [Engine(self.folder, i, count) for i in range(count)]
        return self.engines

    def start_node(self, url=None, **options):
        node = Node(self, len(self.nodes), url or self.engines[0].url(), **options)
        self.nodes.append(node)
        return node

    def start_load(self, nodes, *arguments):
        load = Load(self, nodes, *arguments)
        self.loads.append(load)
        return load

    def end(self):
        """End all. Nodes must end well, and the sanitizers must have found nothing."""
        for load in self.loads:
            load.process.end(signal.SIGKILL)
        codes, hung = [], None
        for node in self.nodes:
            try:
                codes.append(node.process.end())
            except Failed as error:
                codes.append(-signal.SIGKILL)
                hung = hung or error
        for engine in self.engines:
            engine.kill()
        if hung is not None:
            raise hung
        found = [name for name in os.listdir(self.folder) if name.split(".")[0] in SANITIZERS]
        if found:
            with open(os.path.join(self.folder, found[0]), encoding="utf-8", errors="replace") as report:
                raise Failed("a sanitizer has found: %s" % report.read()[:3000])
        bad = [(n.i, code) for n, code in zip(self.nodes, codes) if code not in (0, -signal.SIGKILL)]
        if bad:
            raise Failed("node %d ended with %d: %s" % (*bad[0], self.nodes[bad[0][0]].process.text()[-500:]))
