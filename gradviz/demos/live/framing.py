"""Classification without rules for each digit: a function that learns from examples, and one that answers (D8)."""

from __future__ import annotations

from dataclasses import MISSING, fields

from gradviz import nn
from gradviz.demos.live.digits import ORDER, Settings, make_model


def train_and_evaluate(settings: Settings) -> str:
    """A script that trains and evaluates the network of these settings."""
    model = make_model(settings.model, settings.hidden)
    layers = ",\n        ".join(_call(part) for part in model.children.values())
    arranged, augment = ("arranged(images)" if settings.shuffled else "images"), _augment(settings)
    moved = f"\n        augment={augment}," if augment else ""
    return f"""\
import numpy as np
from gradviz import data, nn, optim
{_ARRANGED if settings.shuffled else ""}

def train(images, labels):
    model = nn.Sequential(
        {layers},
    )
    rng = np.random.default_rng({settings.random_state})
    model.init(rng)
    trainer = nn.Trainer(
        model,
        loss="cross_entropy",
        optimizer=optim.Adam(lr={settings.learning_rate}),{moved}
    )
    for event in trainer.fit(images, labels, epochs=5, batch_size={settings.batch_size}, rng=rng):
        pass
    return model


def evaluate(model, images):
    scores = model.eval()({arranged})
    return scores.argmax(axis=1)


digits = data.digits()
model = train(digits.x_train, digits.y_train)
answers = evaluate(model, digits.x_test)
print(f"{{np.mean(answers == digits.y_test):.1%}} of the held-out digits are right")
"""


_ARRANGED = f"""
order = np.random.default_rng({ORDER}).permutation(784)


def arranged(images):
    return images.reshape(-1, 784)[:, order].reshape(images.shape)
"""


def _augment(settings: Settings) -> str:
    """What happens to a batch before it is learned from, as code; nothing where nothing does."""
    if not settings.shuffled:
        return "nn.augment.shifts" if settings.augmented else ""
    moved = "nn.augment.shifts(x, y, rng)[0]" if settings.augmented else "x"
    return f"lambda x, y, rng: (arranged({moved}), y)"


def _call(part: nn.Module) -> str:
    """How one writes a layer: what it needs, and by name what is not usual."""
    given = []
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if field.default is MISSING:
            given.append(repr(value))
        elif field.init and value != field.default:
            given.append(f"{field.name}={value!r}")
    return f"nn.{type(part).__name__}({', '.join(given)})"
