"""Windows go to the model; what it answers is published, once it rests on durable frames."""

import logging
from collections.abc import Callable
from functools import partial

from stream.devices import Devices
from stream.errors import InferenceError
from stream.events import Error, Prediction, Started
from stream.journal.keeper import Keeper
from stream.live import Live
from stream.logs import Faults
from stream.metrics import Metrics
from stream.model.batcher import Answer
from stream.publish import Publisher
from stream.signal.window import Window

log = logging.getLogger(__name__)


class Answering:
    """Asks for all sessions; `finish` is called with one that is closing, after its last answer."""

    def __init__(
        self,
        keeper: Keeper,
        devices: Devices,
        publisher: Publisher,
        metrics: Metrics,
        finish: Callable[[Live], None],
        clock: Callable[[], float],
    ) -> None:
        self._keeper = keeper
        self._devices = devices
        self._publisher = publisher
        self._metrics = metrics
        self._finish = finish
        self._clock = clock
        self._faults = Faults(log)

    def submit(self, live: Live, window: Window) -> None:
        """Ask the model about a session's next window."""
        live.waiting.append(window)
        self._metrics.windows.inc()
        deliver = partial(self._answer, live, live.group, self._clock())
        live.model.batcher.submit(window.xyz, deliver)

    def _answer(self, live: Live, group: int, submitted: float, answer: Answer) -> None:
        """Let nothing out that a crash could take back."""
        self._keeper.journal.then(group, partial(self._answered, live, submitted, answer))

    def _answered(self, live: Live, submitted: float, answer: Answer) -> None:
        window = live.waiting.pop(0)
        # Whatever it is: what one window brings to light must not hold up the answers of others,
        # nor end the commit or the batch that it came with.
        try:
            self._say(live, window, submitted, answer)
        except Exception as error:  # noqa: BLE001  see above
            self._faults.log(f"window {window.number} of {live.session.device}", error)
            failed = InferenceError("the server failed on its answer; its log says why")
            self._unanswered(live, window, failed)
        if live.closing and not live.waiting:
            self._finish(live)

    def _say(self, live: Live, window: Window, submitted: float, answer: Answer) -> None:
        known = live.said.pop(window.number, None)
        if known is not None:
            self._decide(live, known)
        elif isinstance(answer, InferenceError):
            self._unanswered(live, window, answer)
        else:
            latency_s = self._clock() - submitted
            self._metrics.latency.observe(latency_s)
            self._metrics.predictions.inc()
            prediction = live.session.predict(window, answer, latency_s * 1000)
            self._publisher.publish(prediction.device, prediction, live.channel, live.opened)
            self._decide(live, prediction)

    def _decide(self, live: Live, prediction: Prediction) -> None:
        events = live.session.decide(prediction)
        for event in events:
            if event.id in live.told:
                live.told.remove(event.id)
            else:
                self._publisher.publish(event.device, event, live.channel, live.opened)
            if isinstance(event, Started):
                self._metrics.transitions.labels(event.activity).inc()
                live.device.started(event)
        live.device.confirmed(prediction)
        if events:
            self._devices.changed(live.device)

    def _unanswered(self, live: Live, window: Window, error: InferenceError) -> None:
        self._metrics.unanswered.inc()
        message = Error(code=error.code, message=f"window {window.number}: {error}")
        live.tell(message, self._publisher)
