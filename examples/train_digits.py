"""Train a linear classifier, an MLP and a CNN on 4,000 digits, each from five random states.

python examples/train_digits.py [--quick]
"""

import sys
import time
from statistics import median

import numpy as np

from gradviz import data, nn, optim
from gradviz.demos.live.digits import make_model

QUICK = "--quick" in sys.argv

# Epochs, learning rate at the start (it falls to 0 along a cosine), and whether images are moved by up to one pixel.
RECIPES = {"linear": (15, 0.003, False), "mlp": (30, 0.003, True), "cnn": (6, 0.006, True)}


def train(kind: str, random_state: int) -> float:
    """Share of the held-out digits that a new model gets right."""
    digits = data.digits()
    epochs, rate, moved = RECIPES[kind]
    epochs = 2 if QUICK else epochs
    rng = np.random.default_rng(random_state)
    model = make_model(kind)
    model.init(rng)
    trainer = nn.Trainer(
        model,
        loss="cross_entropy",
        optimizer=optim.Adam(rate),
        schedule=optim.CosineLR(epochs),
        augment=nn.augment.shifts if moved else None,
    )
    for _ in trainer.fit(digits.x_train, digits.y_train, epochs=epochs, batch_size=64, rng=rng):
        pass
    return trainer.evaluate(digits.x_test, digits.y_test)["accuracy"]


def main() -> None:
    """Print the accuracies and their medians."""
    print("Held-out digits that are right (most of their writers also wrote training digits):")
    for kind in RECIPES:
        found, seconds = [], []
        for random_state in range(1 if QUICK else 5):
            start = time.process_time()
            found.append(train(kind, random_state))
            seconds.append(time.process_time() - start)
            print(f"{kind:7} random state {random_state}: {found[-1]:.1%}", flush=True)
        each = ", ".join(f"{accuracy:.1%}" for accuracy in found)
        print(f"{kind:7} median {median(found):.1%}  ({each}), {median(seconds):.1f} s of CPU each")


if __name__ == "__main__":
    main()
