"""Numbered frames that were refused for now: until one comes again, nothing after it is taken.

An ack stands for all frames below it, so it must not run past one that a device still owes. Knows
no clock and no limit.
"""

from collections import OrderedDict

MAX_SESSIONS = 16  # of a device that owe a frame; one more, and the oldest is forgotten


class _Debt:
    """What one device owes."""

    def __init__(self, session: str) -> None:
        self.newest = session  # that a frame which names none belongs to
        self.seqs: OrderedDict[str, int] = OrderedDict()  # the lowest, by session


class Owed:
    """What devices owe; at most `limit` of them are kept, and those longest silent go.

    A session is what a frame names, None where it names none: it then belongs to the one that was
    named last.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._debts: OrderedDict[str, _Debt] = OrderedDict()

    def __len__(self) -> int:
        return len(self._debts)

    def owes(self, device: str) -> bool:
        """Whether anything of a device was refused and has not come again."""
        return device in self._debts

    def refuse(self, device: str, session: str | None, seq: int, current: str) -> bool:
        """Note a frame that was refused; False where its device owed one before.

        `current` is the session, if there is one, that a frame without a name would have gone to.
        """
        debt = self._debts.get(device)
        new = debt is None
        if debt is None:
            debt = self._debts[device] = _Debt(current)
        if session is not None:
            debt.newest = session
        debt.seqs[debt.newest] = min(seq, debt.seqs.get(debt.newest, seq))
        if len(debt.seqs) > MAX_SESSIONS:
            debt.seqs.popitem(last=False)
        self._debts.move_to_end(device)
        if len(self._debts) > self._limit:
            self._debts.popitem(last=False)
        return new

    def before(self, device: str, session: str | None, seq: int) -> int | None:
        """Return the seq that has to come before a frame; None where the frame may be taken."""
        debt = self._debts.get(device)
        if debt is None:
            return None
        owed = debt.seqs.get(debt.newest if session is None else session)
        return owed if owed is not None and owed < seq else None

    def taken(self, device: str, session: str | None, seq: int) -> None:
        """Note a frame that was taken, or refused for good."""
        debt = self._debts.get(device)
        if debt is None:
            return
        if session is not None:
            debt.newest = session
        if debt.seqs.get(debt.newest) == seq:
            del debt.seqs[debt.newest]
        if not debt.seqs:
            del self._debts[device]
