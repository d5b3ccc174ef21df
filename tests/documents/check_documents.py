#!/usr/bin/env python3
"""The documents are true where a program can tell: their links lead somewhere, the files that they name exist, and their commands
work.

Commands are the lines of indented blocks, and of ```sh. Each is met by one row of the table COMMANDS, which says what is done
with it:

    run      it is run as it is written, but for what the row replaces (a port, a process id, a test's own file)
    test     a test runs it as it is written: the row names the test, which must read the document
    same     the same line stands in another document, where it is met
    look     it is not run, for the reason in the row; its program exists, and its long options are in that program's help
    text     it is no command: settings, whose names must be options, or output

A row that meets no line is a fault, too.

    tests/documents/check_documents.py [ROOT]     BUILD_DIR is the build whose programs are run, build/release unless set
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import talk  # noqa: E402

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", ROOT / "build/release")).resolve()
DOCUMENTS = ["README.md", "deploy/README.md", "deploy/first-evening.md", "deploy/many-connections.md",
             "deploy/cluster/README.md", "deploy/client/README.md",
             "deploy/pwa/README.md", "bench/README.md", "src/README.md", "src/protocol/README.md", "tests/README.md",
             ".github/CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"]
TOP, DEPLOY, EVENING, BENCH = "README.md", "deploy/README.md", "deploy/first-evening.md", "bench/README.md"
CLUSTER, ENGINE = "deploy/cluster/README.md", "tests/deploy/test_cluster.sh"
RECIPES, PACKAGE, DEB, COMPOSE = (f"tests/deploy/test_{name}.sh" for name in ("recipes", "package", "deb", "compose"))
faults = []

# (document, a regular expression for the begin of the line, what is done, why or which test). The first row that fits counts.
COMMANDS = [
    (TOP, "deploy/run.sh", "look", "tests/deploy/test_run.sh runs it from its start to Ctrl-C"),
    (TOP, "tests/run.sh", "look", "it runs this"),
    (TOP, "cmake --preset release", "look", "tests/run.sh builds so"),
    (TOP, "cp .env.example .env", "run", ""),
    (TOP, "build/release/homecall-signal --help", "run", ""),
    (TOP, "build/release/homecall-signal --check-config", "run", ""),
    (TOP, "build/release/homecall-signal --print-config", "run", ""),
    (TOP, "build/release/homecall-signal --healthcheck", "run", ""),
    (TOP, "build/release/homecall-signal top", "run", "once"),
    (TOP, "build/release/homecall-signal", "run", "as the server of the others"),
    (TOP, "curl http://127.0.0.1:9888/metrics", "run", "with the server's own port"),
    (TOP, "cc program.c", "test", "tests/check_install.sh"),
    (DEPLOY, "cd deploy", "look", "the shell knows it"),
    (DEPLOY, "cp compose.env.example .env", "run", "in deploy/"),
    (DEPLOY, "docker compose up", "look", "tests/deploy/test_compose.sh starts what the file names, without Docker"),
    (DEPLOY, r"chmod -R go\+rX compose metrics pwa", "test", "tests/deploy/services.sh"),
    (DEPLOY, "apt install git ", "test", PACKAGE),
    (DEPLOY, "cmake --preset release -DHOMECALL_TESTS=OFF", "test", PACKAGE),
    (DEPLOY, r"\(umask 022 && cpack", "test", PACKAGE),
    (DEPLOY, "apt install ./build/package", "test", PACKAGE),
    (DEPLOY, "systemctl stop homecall-signal.socket homecall-signal.service", "test", DEB),
    (DEPLOY, "systemctl enable --now homecall-signal-tls.socket", "test", DEB),
    (DEPLOY, "systemctl start homecall-signal.service", "test", DEB),
    (DEPLOY, "systemctl kill ", "look", "tests/deploy/test_systemd.sh sends the signal"),
    (DEPLOY, "apt install ", "test", RECIPES),
    (DEPLOY, "certbot ", "test", RECIPES),
    (DEPLOY, "cp /usr/share", "test", RECIPES),
    (DEPLOY, "mkdir -p /etc/haproxy", "test", RECIPES),
    (DEPLOY, "nginx -t", "test", RECIPES),
    (DEPLOY, "a2enmod ", "test", RECIPES),
    (DEPLOY, "apachectl ", "test", RECIPES),
    (DEPLOY, "systemctl ", "test", RECIPES),
    (DEPLOY, "homecall-signal --healthcheck", "run", ""),
    (DEPLOY, "homecall-signal top", "run", "once"),
    (DEPLOY, "jq -cs", "run", "with the log of a call and the tag of its room"),
    (DEPLOY, r"\[", "text", "a unit of systemd"),
    (DEPLOY, "ListenStream=|FileDescriptorName=|Service=|WantedBy=", "text", "a unit of systemd"),
    (DEPLOY, "ended worker=|messages_in=", "text", "a line of the log"),
    (DEPLOY, "[A-Z_]+=", "text", "settings"),
    (EVENING, "curl ", "look", "tests/deploy/test_recipes.sh asks for the same pages"),
    (EVENING, "[A-Z_]+=", "text", "settings"),
    (EVENING, "", "same", DEPLOY),
    (CLUSTER, "browsers|proxy or|node a|engine  |│", "text", "a picture"),
    (CLUSTER, "cd deploy", "same", DEPLOY),
    (CLUSTER, "deploy/cluster/secrets.sh", "look", "tests/deploy/test_cluster.sh runs it in a directory of its own"),
    (CLUSTER, "docker compose ", "look", "tests/deploy/test_compose.sh reads the profile, and starts what it names, without Docker"),
    (CLUSTER, "apt install |sh /usr/share|cp /usr/share|systemctl ", "look", "tests/deploy/test_cluster.sh does it with the same files"),
    (CLUSTER, "homecall-signal --check-config", "look", "tests/deploy/test_cluster.sh runs it with each fault"),
    (CLUSTER, "[A-Z_]+=", "text", "settings"),
    (CLUSTER, r"reverse_proxy|lb_|fail_duration|upstream|server |option |balance|retries|\}", "test", ENGINE),
    (CLUSTER, r"jq -cs|\(map|\| sort_by", "test", "tests/documents/check_cluster_log.py"),
    (BENCH, "build/release/bench/homecall-bench call", "run", "with the server's port and process, and half a second"),
    (BENCH, "homecall-bench ", "look", "tests/bench runs these scenarios; these here take minutes"),
    (BENCH, "build/release/bench/log_lines ", "run", "into a file that nobody needs"),
    (BENCH, "memory = |CPU    = ", "text", "a formula"),
    ("src/README.md", "(bench|tests)/", "look", "tests/run.sh bars, chaos, asan and faults run them"),
    ("tests/README.md", "tests/run.sh", "look", "it runs this"),
    ("tests/README.md", "cmake --preset dev", "look", "tests/run.sh builds so"),
    ("tests/README.md", "build/dev/tests/|ctest ", "look", "tests/run.sh runs these tests"),
    (".github/CONTRIBUTING.md", "tests/run.sh", "look", "it runs this"),
]


def fault(document, number, text):
    faults.append(f"{document}:{number}: {text}")


# ---- Links ----

def slug(heading):
    """The anchor that GitHub gives a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def without_code(text):
    """The same lines, those of code blocks empty."""
    lines, is_fenced = [], False
    for line in text.split("\n"):
        if line.startswith("```"):
            is_fenced = not is_fenced
            line = ""
        lines.append("" if is_fenced or line.startswith("    ") else line)
    return lines


def anchors(path):
    return {slug(m.group(1)) for line in without_code(path.read_text()) if (m := re.match(r"#+ (.*)", line))}


def check_links(document, text):
    path = ROOT / document
    count = 0
    for number, line in enumerate(without_code(text), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            count += 1
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            to = (path.parent / file).resolve() if file else path
            if not to.exists():
                fault(document, number, f"the link {target} leads nowhere")
            elif anchor and anchor not in anchors(to):
                fault(document, number, f"there is no heading for {target}")
        for name in re.findall(r"`((?:bench|deploy|include|src|tests|\.github)/[\w./-]+)`", line):
            if not (ROOT / name.rstrip("/")).exists() and not re.search("[A-Z]{4}/", name):
                fault(document, number, f"there is no {name}")
    return count


# ---- Commands ----

def commands(text):
    """(number of the line, command) of each one. A quote that is open goes on in the next line."""
    is_fenced, is_shell, held = False, False, ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            is_fenced = not is_fenced
            is_shell = is_fenced and line == "```sh"
            continue
        if not (is_shell or (not is_fenced and line.startswith("    "))):
            continue
        held = f"{held}\n{line[4:]}" if held else line.strip()
        if held.split(" # ")[0].count("'") % 2 == 0:
            if not held.startswith("# "):
                yield number, held
            held = ""


def is_paragraph(text, number):
    """An indented line that goes on with an item of a list, and is no block."""
    before = text.split("\n")[:number - 1]
    while before and before[-1].startswith("    "):
        before.pop()
    return bool(before) and before[-1] != ""


def option_names():
    text = (ROOT / ".env.example").read_text() + (ROOT / "deploy/compose.env.example").read_text()
    return set(re.findall(r"^#? ?([A-Z][A-Z_0-9]+)=", text, re.M))


def find_program(name):
    for path in (ROOT / name, BUILD / name, BUILD / "bench" / name):
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    return shutil.which(name)


def look(document, number, command):
    words = command.split(" # ")[0].split()
    program = words[0]
    if program.startswith("build/dev/tests/"):
        name = program.removeprefix("build/dev/tests/test_")
        folder, _, module = name.partition("_")
        if not any((ROOT / f"tests/{p}").exists() for p in (f"unit/{folder}/test_{module}.c", f"{folder}/test_{module}.c")):
            fault(document, number, f"{program} is built of no file")
        return
    if program in ("cd", "docker", "systemctl", "cmake", "ctest"):
        return  # not ours, and not on each machine
    found = find_program(program)
    if found is None:
        fault(document, number, f"there is no program {program}")
        return
    if program == "tests/run.sh":
        for stage in words[1:]:
            if f"stage_{stage}()" not in (ROOT / program).read_text():
                fault(document, number, f"there is no stage {stage}")
    elif program.startswith("homecall"):
        told = subprocess.run([found, "--help"], capture_output=True, text=True, check=True).stdout
        for word in words[1:]:
            if word.startswith("--") and not re.search(rf"{word}\b", told):
                fault(document, number, f"{program} has no option {word}")
        if words[1] not in told:
            fault(document, number, f"{program} has no scenario {words[1]}")


class Stage:
    """A folder in which commands run as a reader would run them, with a server that runs beside."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "build").mkdir()
        (self.folder / "build/release").symlink_to(BUILD)
        for name in (".env.example", "deploy/compose.env.example"):
            (self.folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        self.log = self.folder / "signal.log"
        self.admin_port = self.free_port()
        self.settings = {"ADMIN_PORT": str(self.admin_port), "LOG_FILE": str(self.log), "LOG_FORMAT": "json", "MESSAGE_RATE": "0",
                         "LOG_PRIVACY": "on"}
        self.port = self.free_port()
        self.server = subprocess.Popen([BUILD / "homecall-signal", "--env-file", "/dev/null"],
                                       env={**self.settings, "WS_PORT": str(self.port)})
        for _ in range(200):
            if subprocess.run([BUILD / "homecall-signal", "--env-file", "/dev/null", "--healthcheck"], env=self.settings,
                              capture_output=True, check=False).returncode == 0:
                break
        else:
            raise SystemExit("the server does not get ready")

    @staticmethod
    def free_port():
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def end(self):
        self.server.terminate()
        if self.server.wait(20) != 0:
            faults.append(f"the server has ended with {self.server.returncode}")

    def tag_of_a_call(self):
        clients = []
        for user in ("anna", "boris"):
            clients.append(talk.Client(self.port, "/signal", ""))
            clients[-1].send(1, b'{"type":"join","room":"blue fox","user":"%s"}' % user.encode())
            clients[-1].settle()
        for client in clients:
            client.close()
        for _ in range(2000):
            found = re.search(r'"event":"ended".*"room":"(#\w+)"', self.log.read_text() if self.log.exists() else "")
            if found:
                return found.group(1)
        raise SystemExit("no end of a call is in the log")

    def run(self, document, number, command):
        where = self.folder
        if command.startswith("cp compose.env"):
            where = self.folder / "deploy"
        if command.startswith("jq"):
            command = command.replace("#54a9e2c1", self.tag_of_a_call())
        if " top" in command:
            command = command.replace(" top", " top --once", 1)
        if command == "build/release/homecall-signal":
            return  # it runs already
        command = command.replace(":9888/", f":{self.admin_port}/").replace(":8888/", f":{self.port}/")
        command = command.replace("--server-pid PID", f"--server-pid {self.server.pid} --seconds 0.5 --warmup 0.1")
        path = f"{BUILD}:{os.environ['PATH']}"
        done = subprocess.run(["bash", "-ec", command], cwd=where, env={**self.settings, "PATH": path}, capture_output=True,
                              text=True, check=False, timeout=60)
        if done.returncode != 0 or not (done.stdout or done.stderr or command.startswith("cp")):
            fault(document, number, f"{command}\n    ends with {done.returncode}: {done.stderr.strip() or 'it says nothing'}")


def check_command(stage, document, number, command, rows_met):
    for row in COMMANDS:
        if row[0] == document and re.match(row[1], command):
            break
    else:
        fault(document, number, f"nobody knows what to do with the command\n    {command}")
        return
    rows_met.add(row)
    kind, why = row[2:]
    if kind == "run":
        stage.run(document, number, command)
    elif kind == "look":
        look(document, number, command)
    elif kind == "same":
        if f"\n    {command}\n" not in (ROOT / why).read_text():
            fault(document, number, f"this is not in {why}: {command}")
    elif kind == "test":
        if "README" not in (ROOT / why).read_text():
            fault(document, number, f"{why} does not read the document")
    elif why == "settings" and (name := command.split("=")[0]) not in option_names():
        fault(document, number, f"there is no option {name}")


def main():
    links = count = 0
    rows_met = set()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(folder)
        try:
            for document in DOCUMENTS:
                text = (ROOT / document).read_text()
                links += check_links(document, text)
                for number, command in commands(text):
                    if not is_paragraph(text, number):
                        count += 1
                        check_command(stage, document, number, command, rows_met)
        finally:
            stage.end()
    for row in COMMANDS:
        if row not in rows_met:
            faults.append(f"the row {row[:2]} meets no line")
    for line in faults:
        print(line)
    print(f"{links} links, {count} commands")
    return 1 if faults or links == 0 or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
