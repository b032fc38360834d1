"""The last layer of a network as plain numbers: from features to probabilities, and its slopes.

What follows the layer is taken as p = softmax(z·mix + shift)·share with z = x·kernel + bias, which
holds a temperature, and a sharing-out of the softmax's terms among the activities.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp, softmax

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LastLayer:
    """Weights (features, terms) and (terms,), and what follows; terms are the softmax's.

    `mix` is (terms, terms), `shift` (terms,), and `share` (terms, activities), not negative.
    """

    kernel: Numbers
    bias: Numbers
    mix: Numbers
    shift: Numbers
    share: Numbers

    def moved(self, kernel: Numbers, bias: Numbers) -> Self:
        """Return the layer with changes added to its weights."""
        return replace(self, kernel=self.kernel + kernel, bias=self.bias + bias)

    def probabilities(self, features: NDArray[np.floating]) -> Numbers:
        """Return the activities' probabilities (n, activities) for features (n, features)."""
        shared: Numbers = softmax(self._exponents(features), axis=1) @ self.share
        return shared

    def loss(
        self, features: Numbers, labels: NDArray[np.int64], weights: Numbers
    ) -> tuple[float, Numbers]:
        """Return the weighted cross-entropy of the labels (n,), and its slope by z (n, terms).

        With u = z·mix + shift, -log p[label] is logsumexp(u) - logsumexp(u + log share[:, label]),
        and its slope by u the softmax of the first less that of the second.
        """
        exponents = self._exponents(features)
        with np.errstate(divide="ignore"):  # a term without a share in the label has -inf
            told = exponents + np.log(self.share[:, labels].T)
        losses = logsumexp(exponents, axis=1) - logsumexp(told, axis=1)
        slopes = np.exp(log_softmax(exponents, axis=1)) - np.exp(log_softmax(told, axis=1))
        return float(weights @ losses), (weights[:, None] * slopes) @ self.mix.T

    def _exponents(self, features: NDArray[np.floating]) -> Numbers:
        exponents: Numbers = (features @ self.kernel + self.bias) @ self.mix + self.shift
        return exponents

    def terms_of(self, activities: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which terms (terms,) belong to one of these activities alone.

        A term for what is none of the activities has its share in all, and belongs to none.
        """
        belongs: NDArray[np.bool_] = np.isin(self.share.argmax(axis=1), activities)
        belongs &= self.share.max(axis=1) > self.share.sum(axis=1) / 2
        return belongs
