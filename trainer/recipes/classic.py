"""The classic network on the windows of any data set: what other recipes are measured against.

Windows come from `windows`, as for every recipe that is evaluated, not in the order of a file.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import RobustScaler

from trainer.progress import Step
from trainer.recipes import Predict
from trainer.recipes.networks import classic
from trainer.recordings import ACTIVITIES
from trainer.runtime import keras, prepare
from trainer.windows import Examples

EPOCHS, BATCH = 20, 32  # the tutorial's

Windows = NDArray[np.float32]  # (n, time, 3)


def predictor(part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
    """Train on what `part` has of the six; return what answers for raw windows (n, time, 3).

    As in the tutorial: scaled by median and quartiles of the training windows, Adam, batches of
    32 in the same order in every epoch. That order is drawn once, because data sets that lie one
    activity after the other would have the network forget all but the last.
    """
    prepare(seed)
    part = part.labelled()
    part = part.where(np.random.default_rng(seed).permutation(len(part)))
    scaler = RobustScaler().fit(part.xyz.reshape(-1, 3).astype(np.float64))
    model = classic(part.xyz.shape[1], len(ACTIVITIES))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    watched = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: step(logs["loss"], logs["accuracy"])
    )
    model.fit(
        scaled(scaler, part.xyz),
        part.labels,
        epochs=epochs or EPOCHS,
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        callbacks=[watched],
    )
    return partial(answers, model, scaler)


def scaled(scaler: RobustScaler, windows: Windows) -> Windows:
    """Return windows with each axis less its median, over its quartiles' distance."""
    return np.asarray((windows - scaler.center_) / scaler.scale_, np.float32)


def answers(model: Any, scaler: RobustScaler, windows: Windows) -> NDArray[np.float32]:  # noqa: ANN401
    """Return the model's probabilities (n, classes) for raw windows."""
    return np.asarray(model.predict(scaled(scaler, windows), batch_size=256, verbose=0), np.float32)
