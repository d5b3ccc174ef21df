#!/usr/bin/env python3
"""shared_lines.py [--print] LINES_SERVER: which cache lines the threads of a server share on its hot paths.

Valgrind's tool lackey writes down every access to memory of lines_server, and which thread runs. A cache line is shared when
one thread of the server writes to it and another one uses it. shared_lines.expected says which lines two workers may share in
which scenario, which a worker and the acceptor, which functions may use them, and how many locked instructions the workers may
need. Anything else is told, and the exit code is 1.

Processors and time play no part, so a busy machine finds the same. What the kernel does is not seen. Nor are lines that two
structs share because the heap has put them side by side: lines_server has a heap that does not, unless LINES_PLAIN_HEAP is set.
When a connection moves from the acceptor to its worker, the two share all that it is made of. So of what was allocated only that
is looked at between these two which the server has made for good.

--print tells all that is shared, and by which functions.
"""
import bisect
import collections
import fnmatch
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading

LINE = 64
LIMIT_S = 540
# In the order in which they are started; Valgrind numbers them so.
THREADS = {1: "clients", 2: "log writer", 3: "worker", 4: "worker", 5: "acceptor"}
# What the server has allocated at its start.
FOR_GOOD = ("signal_server_create", "admission_new")
# What belongs to lines_server.
NOT_THE_SERVER = {"heap_records"}
# Locked instructions of these are not counted: how often the log and the C library take their locks depends on the time, and
# the heap is that of lines_server.
NOT_COUNTED = ("lib*:*", "log_*", "malloc", "calloc", "realloc", "aligned_alloc")
HERE = os.path.dirname(os.path.abspath(__file__))


def fail(text):
    sys.exit(f"shared_lines.py: {text}")


# ---- What ran ----


class Trace:
    """What each thread did in one scenario."""

    def __init__(self):
        self.accesses = collections.defaultdict(set)  # thread: (instruction, access)
        self.instructions = collections.defaultdict(collections.Counter)  # thread: how often each was run


def read_trace(lines, marks):
    """marks: {name: (address of the begin, address of the end)}. Returns {name: Trace}."""
    begins = {f" S {begin:08x},8\n": name for name, (begin, _) in marks.items()}
    ends = {f" S {end:08x},8\n" for _, end in marks.values()}
    scheduled = re.compile(r"--\d+--\s+SCHED\[(\d+)\]:\s+acquired lock")
    traces, trace, thread, instruction = {}, None, 1, ""
    accesses = instructions = None  # where what this thread does is kept: None for the clients, and between scenarios
    for line in lines:
        kind = line[0]
        if kind == "I":
            instruction = line
            if accesses is not None:
                instructions[line] += 1
        elif kind == " ":
            if accesses is not None:
                accesses.add((instruction, line))
            elif thread == 1 and kind == " ":
                if line in begins:
                    trace = traces[begins[line]] = Trace()
                elif line in ends:
                    trace = None
        else:
            found = scheduled.match(line)
            if found:
                thread = int(found.group(1))
                is_kept = trace is not None and thread != 1
                accesses, instructions = (trace.accesses[thread], trace.instructions[thread]) if is_kept else (None, None)
    return traces


def read_marks(printed):
    text = open(printed, encoding="utf-8", errors="replace").read()
    if "\nall\n" not in text:
        return None
    return {name: (int(begin, 16), int(end, 16))
            for name, begin, end in re.findall(r"^scenario (\S+) 0x([0-9a-f]+) 0x([0-9a-f]+)$", text, re.M)}


def run(program):
    """Returns {scenario: Trace}, what lines_server has printed, and what it has allocated."""
    with tempfile.TemporaryDirectory() as folder:
        printed = os.path.join(folder, "printed")
        out = open(printed, "w+", encoding="utf-8")
        read_end, write_end = os.pipe()
        child = subprocess.Popen(
            ["valgrind", "--tool=lackey", "--basic-counts=no", "--trace-mem=yes", "--trace-sched=yes", f"--log-fd={write_end}",
             program], stdout=out, pass_fds=(write_end,))
        os.close(write_end)
        guard = threading.Timer(LIMIT_S, child.kill)
        guard.start()
        with open(read_end, encoding="ascii", errors="replace", buffering=1 << 20) as lines:
            marks = None
            for line in lines:
                if line.startswith("--"):  # a switch of threads: it may have printed where the marks are
                    marks = read_marks(printed)
                    if marks:
                        break
            traces = read_trace(lines, marks or {})
        status = child.wait()
        guard.cancel()
        if status != 0:
            fail(f"lines_server has ended with {status}")
        if not marks or traces.keys() != marks.keys():
            fail("a scenario is not in the trace")
        text, _, heap = open(printed, "rb").read().partition(b"heap ")
        count, _, heap = heap.partition(b"\n")
        return traces, text.decode().splitlines(), list(struct.iter_unpack("=QQQ", heap[:24 * int(count)]))


# ---- What is where ----


class Places:
    """Names for addresses: of code, and of data."""

    def __init__(self, program, printed, records):
        self.files, self.members = [], []
        for line in printed:
            words = line.split(None, 6)  # the path of a file may have spaces
            if words[0] == "map":
                low, high = (int(x, 16) for x in words[1].split("-"))
                if len(words) > 6 and words[6].startswith("/"):
                    self.files.append((low, high, int(words[3], 16), words[6]))
                elif len(words) == 6 and self.files and self.files[-1][1] == low:  # its zeroed data
                    before = self.files[-1]
                    self.files.append((low, high, before[2] + low - before[0], before[3]))
            elif words[0] == "member":
                self.members.append((int(words[1], 16), int(words[2]), words[3]))
        self.heap = sorted(set(records))  # one behind the other also what was there at different times
        self.largest = max(size for _, size, _ in self.heap)
        self.symbols = {}
        self.bytes = {}
        self.program = os.path.realpath(program)

    def symbols_of(self, file):
        if file not in self.symbols:
            found = []
            for how in ([], ["-D"]):
                text = subprocess.run(["nm", "-S", "--defined-only", *how, file], capture_output=True, text=True, check=False)
                for line in text.stdout.splitlines():
                    words = line.split()
                    if len(words) == 4:
                        found.append((int(words[0], 16), int(words[1], 16), words[3].split("@")[0]))
            self.symbols[file] = sorted(found)
        return self.symbols[file]

    def file_at(self, address):
        for low, high, offset, file in self.files:
            if low <= address < high:
                base = min(l - o for l, _, o, f in self.files if f == file)
                return file, address - base, address - low + offset
        return None

    def function(self, address):
        """The function at an address; in a library also its name."""
        found = self.file_at(address)
        if found is None:
            return "?"
        file, relative, _ = found
        symbols = self.symbols_of(file)
        i = bisect.bisect_right(symbols, (relative, 1 << 62, "")) - 1
        name = re.sub(r"\.(part|constprop|isra|cold|lto_priv)\b.*", "", symbols[i][2]) if i >= 0 else "?"
        return name if os.path.realpath(file) == self.program else f"{os.path.basename(file).split('.')[0]}:{name}"

    def data(self, address):
        """What is on a cache line, as far as it is known."""
        names = {name for at, size, name in self.members if at < address + LINE and address < at + size}
        if names:
            return "+".join(sorted(names))
        i = bisect.bisect_left(self.heap, (address + LINE, 0, 0)) - 1
        while i >= 0 and self.heap[i][0] + self.largest > address:
            at, size, caller = self.heap[i]
            if at + size > address:
                names.add(self.function(caller))
            i -= 1
        if names:
            return "made by " + "/".join(sorted(names))
        found = self.file_at(address)
        if found is None:
            return "elsewhere"
        file, relative, _ = found
        names = {name for at, size, name in self.symbols_of(file) if at < relative + LINE and relative < at + size}
        return os.path.basename(file).split(".")[0] + ":" + ("+".join(sorted(names)) or "?")

    def is_locked(self, address):
        """Is the instruction there a locked one? x86: a prefix says so, and xchg with memory always is."""
        found = self.file_at(address)
        if found is None:
            return False
        file, _, offset = found
        if file not in self.bytes:
            self.bytes[file] = open(file, "rb").read()
        code = self.bytes[file][offset:offset + 6]
        while code[:1] in (b"\x66", b"\xf2", b"\xf3"):
            code = code[1:]
        if code[:1] == b"\xf0":
            return True
        if code and 0x40 <= code[0] <= 0x4F:
            code = code[1:]
        return len(code) > 1 and code[0] in (0x86, 0x87) and code[1] < 0xC0


def address_of(text):
    return int(text.split()[1].split(",")[0], 16)


# ---- What is shared ----


def lines_of(trace, thread):
    """line: (the instructions that write to it, those that only read it)"""
    used = collections.defaultdict(lambda: (set(), set()))
    for instruction, access in trace.accesses[thread]:
        at, size = access[3:].split(",")
        first, last = int(at, 16) // LINE, (int(at, 16) + int(size) - 1) // LINE
        for line in range(first, last + 1):
            used[line][1 if access[1] == "L" else 0].add(instruction)
    return used


def shared_by(trace, one, other, places):
    """What these two threads share: {name of the data: {(who, what, function)}}."""
    by_one, by_other = lines_of(trace, one), lines_of(trace, other)
    is_hand_over = THREADS[one] != THREADS[other]
    shared = collections.defaultdict(set)
    for line in by_one.keys() & by_other.keys():
        if not by_one[line][0] and not by_other[line][0]:
            continue
        name = places.data(line * LINE)
        uses = {(THREADS[thread], what, places.function(address_of(i)))
                for thread, used in ((one, by_one[line]), (other, by_other[line]))
                for what, instructions in zip(("writes", "reads"), used) for i in instructions}
        if all(function.startswith("libc:") for _, _, function in uses) and (name == "elsewhere" or name.startswith("made by")):
            name = "the heap of the C library"
        elif is_hand_over and (name == "elsewhere" or name.startswith("made by") and not any(f in name for f in FOR_GOOD)):
            continue
        if name.partition(":")[2] not in NOT_THE_SERVER:
            shared[re.sub(r"\[\d+\]", "", name)] |= uses
    return shared


def look(trace, places):
    """Returns what is shared, {"THREADS: data": {(who, what, function)}}, and the locked instructions by function."""
    shared = collections.defaultdict(set)
    for one, other in ((3, 4), (3, 5), (4, 5)):
        kinds = " and ".join(sorted((THREADS[one], THREADS[other])))
        for name, uses in shared_by(trace, one, other, places).items():
            shared[f"{kinds}: {name}"] |= uses
    locked = collections.Counter()
    for thread in (3, 4):
        for instruction, times in trace.instructions[thread].items():
            function = places.function(address_of(instruction))
            if not any(fnmatch.fnmatchcase(function, p) for p in NOT_COUNTED) and places.is_locked(address_of(instruction)):
                locked[function] += times
    return shared, locked


# ---- What is expected ----


def read_expected():
    """{scenario: {pattern of what is shared: [patterns of functions]}}, {scenario: most locked instructions}"""
    shared, most = collections.defaultdict(dict), {}
    file = os.environ.get("SHARED_LINES_EXPECTED", os.path.join(HERE, "shared_lines.expected"))
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            line = line.split("#")[0].strip()
            if not line:
                continue
            scenario, kind, rest = line.split(None, 2)
            if kind == "locked":
                most[scenario] = int(rest)
            else:
                data, _, functions = rest.rpartition(" by ")
                shared[scenario][data.strip()] = functions.split()
    return shared, most


def check(scenario, shared, locked, expected, most):
    bad = 0
    for text, uses in sorted(shared.items()):
        patterns = [p for data, functions in expected.items() if fnmatch.fnmatchcase(text, data) for p in functions]
        strangers = [use for use in sorted(uses) if not any(fnmatch.fnmatchcase(use[2], p) for p in patterns)]
        if strangers:
            print(f"{scenario}: {'also used by others' if patterns else 'a new shared line'}: {text}")
            print_uses(strangers)
            bad = 1
    count = sum(locked.values())
    if count > most[scenario]:
        print(f"{scenario}: {count} locked instructions of the workers, expected at most {most[scenario]}")
        print_locked(locked)
        bad = 1
    return bad


def print_uses(uses):
    for who, what, function in sorted(uses):
        print(f"    a {who} {what} it in {function}")


def print_locked(locked):
    print("    locked instructions: " + ", ".join(f"{function} {n}" for function, n in locked.most_common()))


def main():
    arguments = sys.argv[1:]
    is_printing = "--print" in arguments
    arguments = [a for a in arguments if a != "--print"]
    if len(arguments) != 1 or not os.access(arguments[0], os.X_OK):
        sys.exit(__doc__)
    program = arguments[0]
    for _ in range(3):  # rooms fall to workers by chance: one run in 128 has none for one of them
        traces, printed, records = run(program)
        if all(trace.instructions[3] and trace.instructions[4] for trace in traces.values()):
            break
    places = Places(program, printed, records)
    expected, most = read_expected()
    bad = 0
    for scenario, trace in traces.items():
        shared, locked = look(trace, places)
        if is_printing:
            for text, uses in sorted(shared.items()):
                print(f"{scenario} shares {text}")
                print_uses(uses)
            print_locked(locked)
        else:
            bad |= check(scenario, shared, locked, expected[scenario], most)
        print(f"{scenario}: {len(shared)} shared, {sum(locked.values())} locked instructions of the workers")
    sys.exit(bad)


if __name__ == "__main__":
    main()
