"""Fits the last layer to one person's labelled windows, and lets it go no further than it must."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from trainer.personal.last_layer import LastLayer, Numbers

# How strongly the weights are held where they were. Chosen by leave-one-subject-out (four groups of
# the 36 people of the three data sets, ten windows an activity, `gaitway evaluate-adapt`) from 5,
# 10, 20 and 40: 5 and 10 lift the worst person most, and the lower it is, the more of what is none
# of the activities has the name of one.
PULL = 10.0
MAX_STEPS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Features (n, features) of labelled windows, and the index (n,) of each one's activity."""

    features: Numbers
    labels: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "Lesson":
        """Return the windows that `mask` selects."""
        return Lesson(self.features[mask], self.labels[mask])

    @property
    def activities(self) -> NDArray[np.int64]:
        """The activities that occur."""
        return np.unique(self.labels)

    @property
    def weights(self) -> Numbers:
        """What each window (n,) counts, so that activities count the same: n / (K · n_k)."""
        counts = np.bincount(self.labels)
        weights: Numbers = len(self.labels) / (len(self.activities) * counts[self.labels])
        return weights


def fitted(layer: LastLayer, lesson: Lesson, pull: float = PULL, *, bias: bool = True) -> LastLayer:
    """Return the layer that is most probable after the lesson: maximum a posteriori.

    With original weights W₀, b₀ it minimises

        Σᵢ wᵢ · -log p(labelᵢ | xᵢ; W, b)  +  pull/2 · (s² · ‖W - W₀‖² + ‖b - b₀‖²)

    where wᵢ balances the activities and s² is the mean square of the features, so that `pull` means
    the same for every network: a Gaussian prior around the original weights. Terms of activities
    that the lesson has no window of, and of what is none of them, keep their weights, and so does
    the bias if `bias` is False.
    """
    free = layer.terms_of(lesson.activities).astype(float)  # (terms,)
    shape = (len(layer.kernel) + 1, len(free))  # the last row is the bias
    hold = np.full(shape, pull * float((lesson.features**2).mean()))
    hold[-1] = pull
    weights = lesson.weights

    def cost(flat: Numbers) -> tuple[float, Numbers]:
        change = flat.reshape(shape)
        moved = layer.moved(change[:-1], change[-1])
        loss, slopes = moved.loss(lesson.features, lesson.labels, weights)
        slope = np.vstack([lesson.features.T @ slopes, slopes.sum(axis=0)])
        slope[-1] *= bias
        total = loss + float((hold * change**2).sum()) / 2
        return total, ((slope + hold * change) * free).ravel()

    found = minimize(
        cost, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS}
    )
    change = found.x.reshape(shape)
    return layer.moved(change[:-1], change[-1])
