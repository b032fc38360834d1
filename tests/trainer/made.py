"""Recordings that the tests make: the publishers' formats, with people who move like sines."""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# activity → steps a second, and how far they shake, m/s²
GAITS = {
    "Downstairs": (2.2, 4.0),
    "Jogging": (2.8, 9.0),
    "Sitting": (0.0, 0.0),
    "Standing": (0.0, 0.0),
    "Upstairs": (1.4, 3.0),
    "Walking": (1.8, 3.0),
}
TRIALS = {
    "dws_1": "Downstairs",
    "jog_9": "Jogging",
    "sit_5": "Sitting",
    "std_6": "Standing",
    "ups_3": "Upstairs",
    "wlk_7": "Walking",
}
MS2_PER_G = 9.80665


def moving(
    activity: str, t: NDArray[np.float64], seed: int = 0, uneven: float = 0.0
) -> NDArray[np.float32]:
    """Return acceleration (n, 3) in m/s² at seconds `t`; who sits has gravity along z.

    `uneven` is noise as a share of the movement: nobody moves like a sine.
    """
    steps, size = GAITS[activity]
    rng = np.random.default_rng(seed)
    gravity = [0.0, 0.0, MS2_PER_G] if activity == "Sitting" else [0.0, MS2_PER_G, 0.0]
    shaken = size * np.sin(2 * np.pi * steps * t + rng.uniform(0, 6))
    shares = rng.uniform(0.3, 1.0, 3)
    noise = rng.normal(0, 0.05 + uneven * size, (len(t), 3))
    return np.asarray(gravity + shaken[:, None] * shares + noise, np.float32)


def wisdm_v1_text(users: tuple[int, ...], seconds: float = 30.0, rate_hz: float = 20.0) -> str:
    """Write out the raw file of WISDM v1.1, in order, every user doing all six activities."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    lines = []
    for user in users:
        for at, activity in enumerate(GAITS):
            begun_ns = (user * 1000 + at * 100 + 1) * 1_000_000_000
            for when, (x, y, z) in zip(t, moving(activity, t, user).tolist(), strict=True):
                time_ns = begun_ns + round(when * 1e9)
                lines.append(f"{user},{activity},{time_ns},{x:.4f},{y:.4f},{z:.4f};\n")
    return "".join(lines)


def wisdm_2019_zip(folder: Path, people: tuple[int, ...], seconds: float = 30.0) -> Path:
    """Make the zip file of WISDM 2019 with walking (A), stairs (C) and sitting (D), at 20 Hz."""
    path = folder / "wisdm-dataset.zip"
    t = np.arange(int(seconds * 20)) / 20
    with zipfile.ZipFile(path, "w") as archive:
        for person in people:
            lines = []
            for code, activity in (("A", "Walking"), ("C", "Upstairs"), ("D", "Sitting")):
                begun_ns = ord(code) * 1_000_000_000_000
                for when, (x, y, z) in zip(t, moving(activity, t, person).tolist(), strict=True):
                    lines.append(f"{person},{code},{begun_ns + round(when * 1e9)},{x},{y},{z};\n")
            name = f"wisdm-dataset/raw/phone/accel/data_{person}_accel_phone.txt"
            archive.writestr(name, "".join(lines))
    return path


def motionsense_folder(folder: Path, people: tuple[int, ...], seconds: float = 30.0) -> Path:
    """Make the unpacked folder of MotionSense, 50 Hz, one trial of each activity a person."""
    path = folder / "A_DeviceMotion_data"
    t = np.arange(int(seconds * 50)) / 50
    head = ",attitude.roll,gravity.x,gravity.y,gravity.z"
    head += ",userAcceleration.x,userAcceleration.y,userAcceleration.z\n"
    for trial, activity in TRIALS.items():
        (path / trial).mkdir(parents=True)
        for person in people:
            total_g = moving(activity, t, person, uneven=0.05) / -MS2_PER_G
            gravity = np.round(total_g.mean(axis=0), 6)
            user = total_g - gravity
            rows = [
                f"{n},0.1,{gravity[0]},{gravity[1]},{gravity[2]},{x:.6f},{y:.6f},{z:.6f}\n"
                for n, (x, y, z) in enumerate(user.tolist())
            ]
            (path / trial / f"sub_{person}.csv").write_text(head + "".join(rows))
    return path
