"""One temperature for a network's logits, so that its confidence is how often it is right."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

Logits = NDArray[np.float32]  # (n, 7): the six activities, and none of them
COOLEST, HOTTEST = 0.25, 4.0


def shared_out(logits: Logits, temperature: float = 1.0) -> NDArray[np.float32]:
    """Return the six activities' probabilities (n, 6); each row's sum is 1.

    What the network holds to be none of the six is shared out evenly, so that the surer it is of
    that, the less sure it is of any activity: p_i = s_i + s_7 / 6, s = softmax(logits / T).
    """
    scaled = logits / temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    softmax = odds / odds.sum(axis=1, keepdims=True)
    return np.asarray(softmax[:, :-1] + softmax[:, -1:] / (logits.shape[1] - 1), np.float32)


def temperature(logits: Logits, labels: NDArray[np.int64], groups: NDArray[np.str_]) -> float:
    """Return the temperature that makes the labels (n,) likeliest, every group alike.

    Guo et al., "On calibration of modern neural networks", ICML 2017. The windows must be of
    people whom the network was not trained on.
    """
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weight = 1 / counts[place]

    def unlikeliness(log_temperature: float) -> float:
        likely = shared_out(logits, np.exp(log_temperature))[np.arange(len(labels)), labels]
        return float(-(weight * np.log(likely + 1e-9)).sum())

    bounds = (np.log(COOLEST), np.log(HOTTEST))
    return float(np.exp(minimize_scalar(unlikeliness, bounds=bounds, method="bounded").x))
