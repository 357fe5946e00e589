"""The custom CNN in Keras 3 on TensorFlow, as a process of :mod:`bench.side`; run by the interpreter of .venv-keras.

Keras's own loop (``fit``) with images and labels in memory, float32, channels last (its fastest layout on a processor),
threads as TensorFlow chooses them, compiled or not by XLA: whichever is faster. No augmentation, on either side.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Prepare, say so, and train for as many epochs as each line of the input asks."""
    answers, sys.stdout = sys.stdout, sys.stderr
    with np.load(Path(sys.argv[1]), allow_pickle=False) as file:
        settings = json.loads(str(file["settings"]))
        images = file["images"][..., None].astype(np.float32) / 127.5 - 1.0
        labels = file["labels"].astype(np.float32)
    fit = int(sys.argv[2])
    found = {}
    for compiled in (False, True):
        try:
            model = build(images.shape[1], settings, compiled)
            run(model, images, labels, fit, 1, settings)
            start = time.perf_counter()
            run(model, images, labels, fit, 1, settings)
        except Exception as error:  # XLA is not in every build
            print(f"compiled={compiled}: {error}", file=sys.stderr)
            continue
        found[compiled] = time.perf_counter() - start, model
    compiled = min(found, key=lambda key: float(found[key][0]))
    print(json.dumps({"ready": "XLA" if compiled else "without XLA"}), file=answers, flush=True)
    for line in sys.stdin:
        epochs = int(json.loads(line)["epochs"])
        run(found[compiled][1], images, labels, fit, epochs, settings)
        print(json.dumps({"images": epochs * fit}), file=answers, flush=True)


def build(side: int, settings: dict[str, Any], compiled: bool) -> Any:
    """Return the compiled model."""
    import keras

    inputs = keras.Input((side, side, 1))
    hidden = inputs
    for number, width in enumerate((32, 64, 128)):
        hidden = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(hidden)
        hidden = keras.layers.BatchNormalization()(hidden)
        hidden = keras.layers.MaxPooling2D()(hidden) if number < 2 else hidden
    hidden = keras.layers.Dropout(settings["dropout"])(keras.layers.GlobalAveragePooling2D()(hidden))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(
        optimizer=keras.optimizers.Adam(settings["learning_rate"]),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=compiled,
    )
    return model


def run(model: Any, images: np.ndarray, labels: np.ndarray, fit: int, epochs: int, settings: dict[str, Any]) -> None:
    """Train, with the loss of the cases that steer after each epoch."""
    held = (images[fit:], labels[fit:])
    batch = settings["batch_size"]
    model.fit(images[:fit], labels[:fit], batch, epochs, verbose=0, validation_data=held, validation_batch_size=64)


if __name__ == "__main__":
    main()
