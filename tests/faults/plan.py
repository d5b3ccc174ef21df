"""What can fail, and how: for each class of calls of fail_nth.c the errors that the kernel can return there. A number of 0
is a short count: a part is moved, and no error."""
import errno
import random

SHORT = "SHORT"
TRANSPORTS = ("plain", "tls")

# Left out, since they can't happen to a descriptor that is open and arguments that are right: epoll_ctl() that changes or
# removes; EAGAIN of eventfd_write(), with which the descriptor is always readable.
FAULTS = {
    "accept4": ("ECONNABORTED", "EMFILE", "ENFILE", "ENOMEM", "EINTR"),
    "recv": ("ECONNRESET", "EINTR", "ENOMEM", "EAGAIN", "ETIMEDOUT", SHORT),
    "send": ("EPIPE", "EAGAIN", "ENOBUFS", "ENOMEM", "ECONNRESET", "EINTR", SHORT),
    "read": ("EINTR", SHORT),
    "write": ("ENOSPC", "EAGAIN", "ENOMEM", "EINTR", SHORT),
    "eventfd_write": ("EINTR",),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "eventfd": ("EMFILE", "ENOMEM"),
    "timerfd_create": ("EMFILE", "ENOMEM"),
    "timerfd_settime": ("EPERM",),  # of a sandbox only
    "pthread_create": ("EAGAIN",),
    "socket": ("EMFILE", "ENOBUFS"),
    "descriptor": ("EMFILE", "ENFILE"),
    "open": ("EMFILE", "ENFILE", "ENOMEM"),
    "getrandom": ("EINTR",),
    "malloc": ("ENOMEM",),
}


class Fault:
    """The nth call of a class that fails in this way while this transport is driven."""

    def __init__(self, call, nth, error, transport):
        self.call, self.nth, self.error, self.transport = call, nth, error, transport

    @classmethod
    def parse(cls, text):
        call, nth, error, transport = text.split(":")
        return cls(call, int(nth), error, transport)

    def __str__(self):
        return "%s:%d:%s:%s" % (self.call, self.nth, self.error, self.transport)

    def number(self):
        return 0 if self.error == SHORT else getattr(errno, self.error)


def ranges(call, counts):
    """The parts of the calls that get a share each: their transport, and their numbers. Most allocations are those of the
    start, which is the same for both transports."""
    if call != "malloc":
        return [(transport, range(1, counts[transport][call] + 1)) for transport in TRANSPORTS]
    start = counts["start"][call]
    return [("plain", range(1, start + 1))] + \
        [(transport, range(start + 1, counts[transport][call] + 1)) for transport in TRANSPORTS]


def make_decks(counts, classes, seed):
    """For each class and part of it all its faults, in an order that the seed makes. counts[run][class]: the calls in a run
    of each transport, and in a start that is followed by a stop."""
    decks = []
    for call in classes:
        for transport, numbers in ranges(call, counts):
            deck = [Fault(call, nth, error, transport) for nth in numbers for error in FAULTS[call]]
            random.Random("%d %s %s" % (seed, call, transport)).shuffle(deck)
            decks.append(deck)
    return decks


def deal(decks):
    """One of each deck in turn: so a class of few calls gets its part, and one of many gets what is left."""
    while any(decks):
        for deck in decks:
            if deck:
                yield deck.pop()
