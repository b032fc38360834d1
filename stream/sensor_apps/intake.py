"""One session of a sensor app: its messages in, frames out, and what to tell its user."""

import msgspec

from stream.sensor_apps.dialects.dialect import Dialect
from stream.sensor_apps.normalise import Normaliser, NormaliserState, in_order
from stream.sensor_apps.ordering import Ordering
from stream.sensor_apps.readings import Push
from stream.wire import Frame, Told

PATIENCE = 3  # messages without acceleration before the user is told
PATIENCE_S = 2.0  # and so long without gravity, where it came before
GRAVITY_LOST = "Gravity no longer arrives: switch it on again, or send acceleration with gravity."


class IntakeState(msgspec.Struct, array_like=True, frozen=True):
    """All that an intake remembers."""

    dialect: str
    ordering: tuple[int | None, dict[int, Push]]
    normaliser: NormaliserState
    useless: int
    said: str


class Intake:
    """Puts the messages of a session in order and normalises what they hold."""

    def __init__(self, device: str, dialect: Dialect, max_g: float) -> None:
        self.dialect = dialect
        self._ordering: Ordering[Push] = Ordering()
        self._normaliser = Normaliser(device, dialect.traits, max_g)
        self._useless = 0  # messages before the first acceleration
        self._said = ""  # to the user

    def save(self) -> IntakeState:
        """Return all that it remembers, for `restore`."""
        inner = (self._ordering.save(), self._normaliser.save())
        return IntakeState(self.dialect.name, *inner, self._useless, self._said)

    def restore(self, state: IntakeState) -> None:
        """Go on where `state` was saved, of a session of the same dialect."""
        self._ordering.restore(state.ordering)
        self._normaliser.restore(state.normaliser)
        self._useless, self._said = state.useless, state.said

    def feed(self, push: Push, told: Told) -> Frame | None:
        """Take a message; return the samples that became known, if any did.

        Raises DeviceError for readings that no phone can have.
        """
        if self._useless >= 0:
            accelerated = any(reading.kind != "gravity" for reading in push.readings)
            self._useless = -1 if accelerated else self._useless + 1
        ready = self._ordering.feed(push.number, push)
        readings = [reading for message in ready for reading in in_order(message.readings)]
        return self._normaliser.feed(readings, told)

    @property
    def lost(self) -> int:
        """Readings that were dropped because no gravity came near them."""
        return self._normaliser.lost

    @property
    def fault(self) -> str:
        """Return why nothing becomes a sample now, as what to change; empty where all is well."""
        if self._useless >= PATIENCE:
            return self.dialect.missing
        return GRAVITY_LOST if self._normaliser.gravity_behind_s > PATIENCE_S else ""

    def news(self, complaint: str) -> str:
        """Return what the user should change, if it wasn't said before; `complaint` is quality's.

        Empty where there is nothing new to say. Of recordings each hears what is wrong with it.
        """
        word = self.fault or complaint
        repeated = word == self._said and not self.dialect.whole
        if not word or repeated:
            return ""
        self._said = word
        return word
