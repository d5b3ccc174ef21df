"""The same two people by the session dialect and by version 2, as people.py has them by version 1."""
from people import Ended, Person, wait_until, UPGRADE


def request(target, header=b""):
    return UPGRADE.replace(b"GET /signal ", b"GET %s " % target).replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n")


class Caller(Person):
    """One whose request asks for a dialect."""

    def await_type(self, wanted, people):
        """The next message of this type; what comes before it is about who is there."""
        def is_there():
            for person in people:
                person.take_frames()
                if person.has_closed:
                    raise Ended("%s got a close frame" % person.name)
            while self.inbox and self.inbox[0]["type"] != wanted:
                self.inbox.pop(0)
            return self.inbox

        wait_until(is_there, people, "the %s for %s" % (wanted, self.name))
        return self.inbox.pop(0)


def check(got, **wanted):
    if any(got.get(key) != value for key, value in wanted.items()):
        raise AssertionError("expected %.80r and got %.80r" % (wanted, got))


def call_by_session(port, tls, session):
    """The callee comes late, so the offer is queued; it hangs up."""
    people = []
    try:
        target = request(b"/signal?sessionId=%s" % session.encode())
        ann = Caller(port, tls, "Ann", target)
        people.append(ann)
        ann.send(type="offer", sdp="o" * 3000)
        bob = Caller(port, tls, "Bob", target)
        people.append(bob)
        check(bob.await_type("offer", people), sessionId=session, sdp="o" * 3000)
        bob.send(type="answer", sessionId=session, sdp="a" * 2000)
        check(ann.await_type("answer", people), sessionId=session, sdp="a" * 2000)
        bob.send(type="hangup", sessionId=session)
        check(ann.await_type("hangup", people), sessionId=session)
        for person in people:
            person.hang_up()
    finally:
        for person in people:
            person.socket.close()


def join(port, tls, name, room, people, **more):
    person = Caller(port, tls, name, request(b"/signal", b"Sec-WebSocket-Protocol: homecall.2\r\n"))
    people.append(person)
    person.send(type="join", room=room, user=name, **more)
    joined = person.await_type("joined", people)
    return person, joined


def call_by_version_2(port, tls, room):
    """The callee loses the connection in mid-call, and comes back to what has been said meanwhile."""
    people = []
    try:
        ann, _ = join(port, tls, "Ann", room, people)
        bob, joined = join(port, tls, "Bob", room, people, data={"muted": True})
        check(ann.await_type("peer-joined", people), user="Bob", data={"muted": True})
        ann.send(type="offer", n=1, sdp="o" * 3000)
        check(bob.await_type("offer", people), seq=1, sdp="o" * 3000)
        people.remove(bob)
        bob.socket.close()
        ann.await_type("peer-away", people)
        ann.send(type="candidate", n=2, candidate={"candidate": "a"})
        bob, joined = join(port, tls, "Bob", room, people, token=joined["token"], seen=1)
        if not joined["resumed"]:
            raise Ended("Bob was told that something may be lost")
        check(bob.await_type("candidate", people), seq=2, candidate={"candidate": "a"})
        bob.send(type="answer", n=1, ack=2, sdp="a" * 2000)
        check(ann.await_type("answer", people), sdp="a" * 2000)
        for person in people:
            person.send(type="leave")
            person.await_type("left", people)
        for person in people:
            person.hang_up()
    finally:
        for person in people:
            person.socket.close()
