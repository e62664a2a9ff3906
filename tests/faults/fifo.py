"""A FIFO queue as SQS has them: groups in order, one message of a group at a time, visibility,
receive counts, dead letters, five minutes of deduplication. Pure, but for the clock it is given.

Held against another implementation by test_queue.py.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

DEDUPLICATION_SECONDS = 300.0


class BadReceipt(Exception):
    """The receipt handle is not that of the message's last delivery."""


@dataclass
class Message:
    """One message and how it stands. `handle`: of its last delivery. `sent_at`: seconds."""

    id: str
    group: str
    body: str
    attributes: Mapping[str, Any]
    sequence: int
    sent_at: float
    visible_at: float = 0.0
    receive_count: int = 0
    handle: str = ""


@dataclass
class Fifo:
    """One queue.

    Args:
        clock: seconds.
        dead_letters: where a message goes that was received too often; None keeps it.
        max_receives: how often that is.
    """

    name: str
    clock: Callable[[], float]
    visibility_seconds: float = 60.0
    dead_letters: "Fifo | None" = None
    max_receives: int = 30
    messages: list[Message] = field(default_factory=list)
    _seen: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    _count: int = 0

    def send(self, group: str, key: str, body: str, attributes: Mapping[str, Any]) -> str:
        """Put a message at the end, unless its key was used lately in its group; returns its id."""
        now = self.clock()
        at, known = self._seen.get((group, key), (float("-inf"), ""))
        if now - at < DEDUPLICATION_SECONDS:
            return known
        self._count += 1
        made = hashlib.md5(f"{self.name}{self._count}".encode(), usedforsecurity=False).hexdigest()
        self._seen[group, key] = (now, made)
        self.messages.append(Message(made, group, body, attributes, self._count, now))
        return made

    def receivable(self) -> list[Message]:
        """The first visible message of each group that has none in flight, oldest first."""
        now = self.clock()
        found: list[Message] = []
        seen: set[str] = set()
        for message in self.messages:
            if message.group not in seen:
                seen.add(message.group)
                if message.visible_at <= now and not self._in_flight(message.group, now):
                    found.append(message)
        return found

    def receive(self, group: str | None = None) -> Message | None:
        """Deliver the next message, of one group or of any."""
        while True:
            found = [each for each in self.receivable() if group in (None, each.group)]
            if not found:
                return None
            if not self._is_buried(found[0]):
                return self._delivered_now(found[0], self.visibility_seconds)

    def receive_several(self, most: int, visibility_seconds: float | None = None) -> list[Message]:
        """Deliver up to so many at once, in order, several of a group among them."""
        busy = {each.group for each in self.messages if each.visible_at > self.clock()}
        free = [each for each in self.messages if each.group not in busy]
        seconds = self.visibility_seconds if visibility_seconds is None else visibility_seconds
        kept = (each for each in free if not self._is_buried(each))
        return [self._delivered_now(each, seconds) for each in islice(kept, most)]

    def delete(self, handle: str) -> None:
        """Forget a message; one that was deleted is deleted again in peace. Raises BadReceipt."""
        message = self._delivered(handle)
        if message is not None:
            self.messages.remove(message)

    def change_visibility(self, handle: str, seconds: float) -> None:
        """Show a message again after so long. Raises BadReceipt."""
        message = self._delivered(handle)
        if message is None or message.visible_at <= self.clock():
            raise BadReceipt(f"{handle} is not in flight")
        message.visible_at = self.clock() + seconds

    def depths(self) -> tuple[int, int]:
        """How many wait, and how many are in flight."""
        now = self.clock()
        hidden = sum(each.visible_at > now for each in self.messages)
        return len(self.messages) - hidden, hidden

    def _in_flight(self, group: str, now: float) -> bool:
        return any(each.group == group and each.visible_at > now for each in self.messages)

    def _delivered(self, handle: str) -> Message | None:
        found = next((m for m in self.messages if m.id == handle.partition(":")[0]), None)
        if found is not None and found.handle != handle:
            raise BadReceipt(f"{handle} is of an earlier delivery")
        return found

    def _delivered_now(self, message: Message, visibility_seconds: float) -> Message:
        message.receive_count += 1
        message.visible_at = self.clock() + visibility_seconds
        message.handle = f"{message.id}:{message.receive_count}"
        return message

    def _is_buried(self, message: Message) -> bool:
        """Whether it was received too often, and lies with the dead letters now."""
        if self.dead_letters is None or message.receive_count < self.max_receives:
            return False
        self.messages.remove(message)
        self.dead_letters.send(message.group, message.id, message.body, message.attributes)
        return True
