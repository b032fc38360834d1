"""The service's counters, as Prometheus reads them. Every drop has one."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which nobody asked for

LATENCY_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """One service's metrics, in a registry of their own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._registry = registry

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"gaitway_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"gaitway_{name}", text, registry=registry)

        def timer(name: str, text: str) -> Histogram:
            return Histogram(f"gaitway_{name}_seconds", text, buckets=LATENCY_S, registry=registry)

        self.frames = counter("frames", "Frames taken", ("channel",))
        self.samples = counter("samples", "Samples taken")
        self.refused = counter("frames_refused", "Frames refused", ("channel", "code"))
        self.turned_away = counter("turned_away", "Who was not let in or on", ("door", "reason"))
        self.repeated = counter("frames_repeated", "Frames that had been taken before")
        self.skipped = counter("frames_skipped", "Frames that devices gave up")
        self.dropped = counter("samples_dropped", "Samples dropped", ("reason",))
        self.labels = counter("labels", "Labels taken")
        self.recorded = counter("samples_recorded", "Labelled samples written as recordings")
        self.unrecorded = counter(
            "samples_unrecorded", "Labelled samples that were not written", ("reason",)
        )
        self.gaps = counter("gaps", "Gaps in devices' streams")
        self.windows = counter("windows", "Windows completed")
        self.predictions = counter("predictions", "Predictions published")
        self.unanswered = counter("windows_unanswered", "Windows that the model failed on")
        self.transitions = counter("transitions", "Changes of activity", ("activity",))
        self.missed = counter(
            "messages_missed", "Messages dropped for listeners that are slow, or are shown out"
        )
        self.unseen = counter(
            "waveforms_missed", "Waveforms dropped for slow listeners, most for newer ones"
        )
        self.mqtt_dropped = counter("mqtt_messages_dropped", "Messages the broker never gets")
        self.mqtt_connected = gauge("mqtt_connected", "1 while the broker is connected")
        self.journal_failures = counter("journal_failures", "Commits that failed")
        self.journal_waiting = gauge("journal_waiting", "Frames that wait to be written")
        self.journal_commit = timer("journal_commit", "Time that a commit takes")
        self.dial_failures = counter("dial_failures", "Calls to phones that failed", ("device",))
        self.dial_connected = gauge("dial_connected", "Phones that are dialled and answer")
        self.sessions = gauge("sessions", "Live sessions")
        self.devices = gauge("devices", "Devices known")
        self.listeners = gauge("listeners", "Listeners connected")
        self.waiting = gauge("windows_waiting", "Windows waiting for the model")
        self.latency = timer("latency", "From a window's last sample to its prediction")

    def render(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self._registry)
