"""How a replay went: what was sent, what came back, and how often it was right."""

from collections import Counter

from clients.messages import Message
from clients.track import Track
from stream.events import Error, Missed, Prediction

# WISDM 2019 doesn't say which way its stairs go.
EITHER = {"Stairs": ("Upstairs", "Downstairs")}


class Score:
    """The counts of one phone."""

    def __init__(self, track: Track) -> None:
        self.samples = 0
        self.frames = 0
        self.predictions = 0
        self.missed = 0
        self.activities: Counter[str] = Counter()
        self.labelled = 0  # predictions for windows whose label the model could have given
        self.right = 0
        self.first_error = ""
        self.end = 0.0  # s on the track: the newest window's
        self._track = track

    @property
    def name(self) -> str:
        """Whose phone it was."""
        return self._track.name

    @property
    def accuracy(self) -> float | None:
        """The share of labelled windows whose prediction was right; None without labels."""
        return self.right / self.labelled if self.labelled else None

    def hear(self, message: Message, before_s: float) -> None:
        """Count a message; the server's time 0 is `before_s` on the track."""
        if isinstance(message, Prediction):
            self._count(message, before_s)
        elif isinstance(message, Missed):
            self.missed += message.count
        elif isinstance(message, Error):
            self.first_error = self.first_error or f"{message.code}: {message.message}"

    def _count(self, prediction: Prediction, before_s: float) -> None:
        self.predictions += 1
        self.activities[prediction.activity] += 1
        start, self.end = (before_s + t for t in prediction.t)
        label = self._track.label_between(start, self.end)
        wanted = EITHER.get(label, (label,))
        if any(name in prediction.probabilities for name in wanted):
            self.labelled += 1
            self.right += prediction.activity in wanted
