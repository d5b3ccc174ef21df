#!/usr/bin/env python3
"""src/protocol/README.md is true: its conversations are played against the real server (talk.py), and what it lists is what the
code has: types of messages, texts and codes of errors, close codes, statuses of HTTP. Each way round: what the code has and the
document lacks is a fault, too. Comments that cite a rule cite one that is there.

    tests/documents/check_protocol.py [HOMECALL-SIGNAL [DOCUMENT]]
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import talk  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
faults = []


def source(name):
    return (ROOT / "src" / name).read_text()


def compare(what, in_document, in_code):
    in_document, in_code = set(in_document), set(in_code)
    for missing in sorted(in_code - in_document):
        faults.append(f"{what}: {missing} is in the code and not in the document")
    for extra in sorted(in_document - in_code):
        faults.append(f"{what}: {extra} is in the document and not in the code")
    if not in_code:
        faults.append(f"{what}: none is found in the code")


def section(text, title):
    """From a heading to the next one of its level."""
    found = re.search(rf"^(#+) {re.escape(title)}$", text, re.M)
    if not found:
        faults.append(f"there is no section {title}")
        return ""
    rest = text[found.end():]
    end = re.search(rf"^#{{1,{len(found.group(1))}}} ", rest, re.M)
    return rest[:end.start()] if end else rest


def first_cells(text, pattern):
    """What `pattern` finds in the first cells of table rows."""
    return [word for row in re.findall(r"^\| ([^|]*) \|", text, re.M) for word in re.findall(pattern, row)]


def talks(text):
    """(settings, lines, number of the first line) of each conversation."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if re.match(r"```talk\b", line):
            end = lines.index("```", i)
            yield talk.environment_of(line.split()[1:]), lines[i + 1:end], i + 2


def types_in_examples(text, arrow):
    return set(re.findall(rf'^\w+ {arrow} {{"type":"([\w-]+)"', text, re.M))


def check_types(sections):
    table = re.compile(r'\[MESSAGE_(?:2_)?\w+\] = FIELDS_TEXT\("([\w-]+)"\)|\[SESSION_MESSAGE_\w+\] = FIELDS_TEXT\("([\w-]+)"\)')
    known = {}
    for name, file in (("1", "dialect_1/message_1.c"), ("session", "dialect_session/session_message.c"),
                       ("2", "dialect_2/message_2.c")):
        known[name] = {a or b for a, b in table.findall(source(file))}
        # A type that is made up, such as "dance", is in an example of a fault.
        compare(f"types from clients, {name}", types_in_examples(sections[name], "->") - {"dance"}, known[name])
    said = re.findall(r'\\"type\\":\\"([\w-]+)\\"', "".join(
        source(f"dialect_2/{file}.c") for file in ("answers", "presence", "seat", "seat_peer")))
    compare("types from the server, 2", types_in_examples(sections["2"], "<-"), said)
    compare("types from the server, session", types_in_examples(sections["session"], "<-"), known["session"])
    compare("types from the server, 1", types_in_examples(sections["1"], "<-"),
            {"offer", "answer", "candidate", "error"} & known["1"])


def check_errors(sections):
    embedder = re.findall(r'not_allowed\[\] = "([^"]+)"', source("server/embedder.c"))
    for name, file, pattern in (
            ("1", "dialect_1/message_1.h", r'MESSAGE_ERROR_JSON\("([^"]+)"\)'),
            ("session", "dialect_session/session_message.h", r'SESSION_MESSAGE_\w+ +SLICE_LITERAL\("([^"]+)"\)')):
        compare(f"errors, {name}", first_cells(sections[name], r"`([A-Z][a-z]+ [^`]*)`"),
                re.findall(pattern, source(file)) + embedder)
    rows = re.findall(r'\[ANSWER_\w+\] = \{FIELDS_TEXT\("\\"([\w-]+)\\""\),\s+(?:FIELDS_TEXT\("\\"([^"]+)\\""\)|\{NULL, 0\})\}',
                      source("dialect_2/answers.c"))
    table = sections["2"][sections["2"].index("| code | message |"):sections["2"].index("A client must ignore")]
    listed = re.findall(r"^\| `([\w-]+)` \| [^|]*`([A-Z][^`]*)` \|", table, re.M)
    compare("errors, 2", listed, [(code, message or embedder[0]) for code, message in rows])


def check_codes(text):
    codes = re.findall(r"WS_CLOSE_\w+ = (\d+)", source("websocket/frame.h"))
    compare("close codes", first_cells(section(text, "Close codes"), r"\d{4}"), codes)
    statuses = re.findall(r'^    \{(\d{3}), "', source("websocket/handshake_answer.c"), re.M)
    compare("HTTP statuses", first_cells(section(text, "Connecting"), r"\d{3}"), statuses)


def check_citations(text):
    rules = set(re.findall(r"^\*\*([12S]\.\d+) ", text, re.M))
    cited = 0
    for path in [p for folder in ("src", "tests", "bench", "include") for p in (ROOT / folder).rglob("*.[ch]")]:
        comments = re.sub(r"\n \*", "", path.read_text())
        for numbers in re.findall(r"protocol/README\.md,? ((?:[12S]\.\d+(?:, | and )?)+)", comments):
            for number in re.findall(r"[12S]\.\d+", numbers):
                cited += 1
                if number not in rules:
                    faults.append(f"{path.relative_to(ROOT)} cites rule {number}, which is not there")
        for old in re.findall(r"PROTOCOL(?:-\w+)?\.md", comments):
            faults.append(f"{path.relative_to(ROOT)} cites {old}")
    if cited == 0:
        faults.append("no comment cites a rule")


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/homecall-signal")
    document = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "src/protocol/README.md"
    text = document.read_text()
    sections = {name: section(text, title) for name, title in
                (("1", "Version 1"), ("session", "The session dialect"), ("2", "Version 2"))}
    check_types(sections)
    check_errors(sections)
    check_codes(text)
    check_citations(text)
    played = 0
    for settings, lines, number in talks(text):
        try:
            talk.play(binary, settings, lines, number)
            played += 1
        except talk.Fault as fault:
            faults.append(str(fault))
    for line in re.findall(r'^\{"type".*', text, re.M):
        faults.append(f"an example that nobody plays: {line}")
    for match in re.findall(r"^\w+ (?:->|<-) (\{.*)", text, re.M):
        json.loads(match)
    for fault in faults:
        print(f"{document.name}: {fault}")
    print(f"{played} conversations were played")
    return 1 if faults or played == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
