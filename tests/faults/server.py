"""A server that is started under a fault, driven through a scenario, stopped, and judged."""
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time

import dialects
import people

START_PATIENCE = 5
STOP_PATIENCE = 15
GRACE, GRACE_WITH_STACKS = 2, 10
SANITIZER_EXIT = 77
SANITIZERS = {
    # The file with the faults stands before the sanitizer, which finds its own functions behind it.
    "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:exitcode=%d:allocator_may_return_null=1" % SANITIZER_EXIT,
    "LSAN_OPTIONS": "print_suppressions=0:suppressions='%s/leaks.supp'" % os.path.dirname(os.path.abspath(__file__)),
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
REPORTS = (b"ERROR: AddressSanitizer", b"ERROR: LeakSanitizer", b"runtime error:", b"Assertion `")

# The sanitizer had no memory at the start of a thread. Nothing is known about the server then.
SANITIZER_ITSELF = b"AddressSanitizer: CHECK failed"

ports_lock = threading.Lock()
ports_given = set()


def free_ports(count):
    """No two runs of this process have the same one at the same time. To be given back."""
    with ports_lock:
        found = []
        while len(found) < count:
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                port = s.getsockname()[1]
            if port not in ports_given:
                ports_given.add(port)
                found.append(port)
        return found


def run(tools, fault, **how):
    """A Run that has had its ports. A leak counts if it is also found with whole stacks, which show whose it is and take
    long to make."""
    done = Run(tools, fault, **how)
    while done.lost_its_port():
        done = Run(tools, fault, **how)
    if b"ERROR: LeakSanitizer" in done.faults and not how.get("has_stacks", False):
        return run(tools, fault, has_stacks=True, **how)
    return done


def give_back(ports):
    with ports_lock:
        ports_given.difference_update(ports)


class Run:
    """`wrong` is what is wrong with the server, or None; `is_reached` whether the call that should fail came."""

    def __init__(self, tools, fault, how="once", traces=False, drives=True, has_stacks=False):
        self.fault, self.transport, self.how, self.drives = fault, fault.transport, how, drives
        self.plain, self.tls, self.admin = free_ports(3)
        self.wrong, self.is_reached, self.counts, self.failures, self.calls = None, False, {}, [], 0
        self.output, self.faults, self.was_killed = b"", b"", False
        with tempfile.TemporaryDirectory(dir=tools.folder) as folder:
            self.report, self.log = folder + "/report", folder + "/log"
            self.environment = self.settings(tools, traces, has_stacks)
            try:
                self.go(tools.binary)
            finally:
                give_back([self.plain, self.tls, self.admin])
            self.read_report()

    def settings(self, tools, traces, has_stacks):
        settings = {
            "WS_PORT": self.plain, "WSS_PORT": self.tls, "ADMIN_PORT": self.admin, "WORKERS": 2, "BIND_RETRY": 0,
            "TLS_CERT_FILE": tools.folder + "/cert.pem", "TLS_KEY_FILE": tools.folder + "/key.pem",
            "SHUTDOWN_GRACE": GRACE, "TURN_URLS": "stun:127.0.0.1", "LD_PRELOAD": tools.interposer,
            "FAIL_CALL": self.fault.call, "FAIL_NTH": self.fault.nth, "FAIL_ERRNO": self.fault.number(),
            "FAIL_HOW": self.how, "FAIL_REPORT": self.report, **SANITIZERS}
        if self.transport == "tls":  # else the log goes to a pipe, and the stop has its waves, a tenth of a second each
            settings.update(LOG_FILE=self.log, DRAIN_SECONDS=0)
        if has_stacks:
            settings["ASAN_OPTIONS"] += ":fast_unwind_on_malloc=0"
            settings["SHUTDOWN_GRACE"] = GRACE_WITH_STACKS
        if traces:
            settings["FAIL_TRACE"] = 1
        return {key: str(value) for key, value in settings.items()}

    def go(self, binary):
        self.server = subprocess.Popen([binary, "--env-file", "/dev/null"], env=self.environment, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        self.pidfd = os.pidfd_open(self.server.pid)
        readers = [threading.Thread(target=self.collect, args=(stream, name))
                   for stream, name in ((self.server.stdout, "output"), (self.server.stderr, "faults"))]
        for reader in readers:
            reader.start()
        try:
            has_started = self.wait_for_start()
            if has_started:
                if self.drives:
                    self.drive()
                self.stop()
            else:
                self.wait_for_end()
        finally:
            self.server.kill()
            self.server.wait()
            os.close(self.pidfd)
            for reader in readers:
                reader.join()
        self.wrong = self.judge_death() or self.wrong or self.judge_end(has_started)
        if SANITIZER_ITSELF in self.faults:
            self.wrong = None

    def collect(self, stream, name):
        while True:
            data = os.read(stream.fileno(), 65536)
            if data == b"":
                stream.close()
                return
            setattr(self, name, getattr(self, name) + data)

    def log_text(self):
        try:
            with open(self.log, "rb") as file:
                return self.output + file.read()
        except OSError:
            return self.output

    def wait_for_start(self):
        """False when it has ended instead. The line in the log may be what was lost: then its calls tell."""
        end = time.monotonic() + START_PATIENCE
        while time.monotonic() < end:
            if b" started " in self.log_text():
                return True
            if self.has_ended(0.005):
                return False
        return True

    def drive(self):
        """A call by each dialect, the pages, a reload; then one more whole call with TLS and without."""
        tls = self.transport == "tls"
        self.attempt(self.call, tls)
        self.attempt(self.call, tls, dialects.call_by_session)
        self.attempt(self.call, tls, dialects.call_by_version_2)
        self.attempt(people.get, self.tls if tls else self.plain, b"/ice", tls)
        self.attempt(people.get, self.admin, b"/metrics")
        self.server.send_signal(signal.SIGHUP)
        tries = 2 if self.how == "once" else 5
        if not any(self.serves() for _ in range(tries)):
            self.wrong = self.wrong or "it goes on and does not serve: " + "; ".join(self.failures)
        elif len(self.failures) > 1 and self.how == "once":
            self.wrong = self.wrong or "one failure has hurt more than one: " + "; ".join(self.failures)

    def serves(self):
        return all([self.attempt(self.call, False), self.attempt(self.call, True),
                    self.attempt(people.get, self.plain, b"/ice"),
                    self.attempt(people.get, self.admin, b"/metrics")])

    def call(self, tls, how=people.call):
        self.calls += 1  # each has a room of its own: what a lost connection has queued is kept
        how(self.tls if tls else self.plain, tls, "room-%d" % self.calls)

    def attempt(self, action, *arguments):
        if self.wrong is not None:
            return False
        try:
            action(*arguments)
            return True
        except people.Silent as silence:
            self.wrong = str(silence)
            self.failures.append(str(silence))
        except people.Ended as end:
            self.failures.append(str(end))
        except (AssertionError, ValueError) as error:
            self.wrong = "it sends what is wrong: %s" % error
            self.failures.append(str(error))
        return False

    def stop(self):
        """Somebody is there who is to be told."""
        person = None
        try:
            person = people.Person(self.plain, False, "Eve")
            person.send(type="join", room="late", user="Eve")
        except (people.Ended, people.Silent):
            pass
        self.server.send_signal(signal.SIGTERM)
        if person is not None:
            try:
                person.await_close()
                person.send_frame(people.CLOSE, b"")
            except people.Ended:
                pass
            except people.Silent as silence:
                self.wrong = self.wrong or str(silence)
            person.socket.close()
        self.wait_for_end()

    def wait_for_end(self):
        if not self.has_ended(STOP_PATIENCE):
            self.wrong = self.wrong or "it hangs"
            self.was_killed = True
            self.server.kill()
        self.server.wait()

    def has_ended(self, patience):
        """As Popen.wait() with a timeout, which would look only now and then."""
        return bool(select.select([self.pidfd], [], [], patience)[0])

    def judge_death(self):
        """It comes first: who waits for a server that is dead has only its silence."""
        code = self.server.returncode
        if code < 0 and not self.was_killed:
            return "it died by signal %d" % -code
        if code == SANITIZER_EXIT or any(report in self.faults for report in REPORTS):
            return "a sanitizer or an assertion has found something"
        return None

    def judge_end(self, has_started):
        code = self.server.returncode
        if code == 3:
            return "it does not stop within its grace"
        if has_started and code != 0:
            return "it ended with %d after it had served" % code
        if not has_started and (code not in (1, 2) or self.faults.strip() == b""):
            return "it refused to start with %d and %s" % (code, "a message" if self.faults.strip() else "without a word")
        return None

    def read_report(self):
        try:
            with open(self.report, encoding="ascii") as file:
                self.counts = {name: int(number) for name, number in (line.split() for line in file)}
        except OSError:
            return
        self.is_reached = self.counts.pop("reached") == 1

    def lost_its_port(self):
        """Another process was faster than the server: nothing is known about it then."""
        return b"is already in use" in self.faults

    def describe(self):
        return json.dumps({"code": self.server.returncode, "failures": self.failures}) + "\n" + \
            (self.faults + b"\n" + self.output[-3000:]).decode(errors="replace")
