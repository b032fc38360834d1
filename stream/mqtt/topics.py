"""Which message goes to which topic, and as what."""

import msgspec

from stream.events import Ack, Ended, Error, Message, Prediction, Quality, Started, State, Status
from stream.journal.entries import PREDICTION, Entry

# Message → last part of its topic, and whether it is retained.
TOPICS: dict[type[Message], tuple[str, bool]] = {
    Prediction: ("prediction", False),
    Started: ("event", False),
    Ended: ("event", False),
    State: ("activity", True),
    Status: ("status", True),
    Ack: ("ack", True),
    Quality: ("error", False),
    Error: ("error", False),
}


def words(message: Message) -> bytes | str:
    """Return what is published of a message."""
    return message.status if isinstance(message, Status) else msgspec.json.encode(message)


def of_entry(entry: Entry) -> str:
    """Return the last part of the topic of what the history holds."""
    return "prediction" if entry.type == PREDICTION else "event"
