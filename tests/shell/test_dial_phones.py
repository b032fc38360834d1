"""Which phones are dialled: bare addresses are completed, and wrong ones refused in one line."""

import msgspec
import pytest

from stream import dial, options
from stream.config import Device
from stream.errors import ConfigError

ONE = "/sensor/connect?type=android.sensor.accelerometer"
SEVERAL = '/sensors/connect?types=["android.sensor.accelerometer","android.sensor.gyroscope"]'
ENCODED = (
    "/sensors/connect?types=%5B%22android.sensor.accelerometer%22%2C"
    "%22android.sensor.gyroscope%22%5D"
)


def dialled(url: str, app: str = "") -> tuple[str, str]:
    device = msgspec.convert({"url": url, "app": app}, Device)
    (phone,) = dial.listed({"pixel-7": device})
    assert phone.device == "pixel-7"
    return phone.dialect.name, phone.url


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("ws://10.0.0.2", f"ws://10.0.0.2:8080{ONE}"),
        ("ws://10.0.0.2:8081/", f"ws://10.0.0.2:8081{ONE}"),
        ("ws://pixel.local:8080" + ONE, f"ws://pixel.local:8080{ONE}"),
        ("ws://10.0.0.2:8080" + SEVERAL, f"ws://10.0.0.2:8080{ENCODED}"),
        ("ws://10.0.0.2:8080" + ENCODED, f"ws://10.0.0.2:8080{ENCODED}"),
        ("ws://[fe80::1]:8080", f"ws://[fe80::1]:8080{ONE}"),
    ],
)
def test_an_address_of_sensor_server(url: str, complete: str) -> None:
    assert dialled(url) == ("sensor-server", complete)
    assert dialled(url, "sensor-server") == ("sensor-server", complete)


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("http://10.0.0.2", "http://10.0.0.2"),  # an iPhone serves at port 80
        ("http://10.0.0.2:8080/", "http://10.0.0.2:8080"),
    ],
)
def test_an_address_of_phyphox(url: str, complete: str) -> None:
    assert dialled(url) == ("phyphox", complete)


@pytest.mark.parametrize(
    ("url", "app", "reason"),
    [
        ("ws://b/gps", "", "the path is /sensor/connect or /sensors/connect; ws://ADDRESS:8080/se"),
        ("ws://b/sensor/connect", "", "type = android.sensor.accelerometer is needed"),
        ("ws://b/sensor/connect?type=android.sensor.light", "", "type = android.sensor.acceler"),
        ("ws://b/sensors/connect?types=a", "", "types is a JSON array, as in ["),
        ('ws://b/sensors/connect?types=["a","b"]', "", "types has two sensors or more"),
        (
            'ws://b/sensors/connect?types=["android.sensor.accelerometer"]',
            "",
            "types has two sensors or more",
        ),
        ("ws://b:99999", "", "Port out of range 0-65535; ws://ADDRESS:8080/sensor/connect?type="),
        ("http://b:x", "", "http://ADDRESS:8080 is allowed"),
        ("http://b/get", "", "nothing may follow the port; http://ADDRESS:8080 is allowed"),
        ("http://b", "sensor-server", "app = 'sensor-server' is dialled at ws://ADDRESS:8080/"),
        ("ws://b", "phyphox", "app = 'phyphox' is dialled at http://ADDRESS:8080 is allowed"),
        ("ws://:8080", "", "the address is missing"),
        ("ws://a..b", "", "'a..b' is no host's name; ws://ADDRESS:8080/sensor/connect?type="),
        ("http://a..b", "", "'a..b' is no host's name; http://ADDRESS:8080 is allowed"),
    ],
)
def test_an_address_that_cannot_be_meant(url: str, app: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        dialled(url, app)
    message = str(error.value)
    assert message.startswith(f"devices.pixel-7.url = {url!r}: ")
    assert reason in message


def test_an_app_without_an_address() -> None:
    with pytest.raises(ConfigError, match=r"devices\.b\.app = 'phyphox': url is missing"):
        dial.listed({"b": Device(app="phyphox")})


def test_who_has_no_url_is_not_dialled() -> None:
    assert dial.listed({"b": Device(axes="ios")}) == []


def called(*dials: str) -> dict[str, Device]:
    return options.settings(None, {}, list(dials)).devices


def test_the_command_line_names_phones() -> None:
    assert called("pixel-7=ws://b", "iphone=http://c:80") == {
        "pixel-7": Device(url="ws://b"),
        "iphone": Device(url="http://c:80"),
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("ws://b", "--dial 'ws://b': NAME=ADDRESS is needed, as in pixel-7=ws://"),
        ("a/b=ws://b", "a device's id is 1 to 64 of A-Z a-z 0-9"),
        ("a=b:8080", "devices.a.url = 'b:8080': ws://ADDRESS:PORT"),
        ("a=", "is needed, as in pixel-7=ws://"),
    ],
)
def test_a_wrong_call_on_the_command_line(words: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason.replace("(", r"\(")):
        called(words)
