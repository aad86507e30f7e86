"""Train, pause, and look inside: a batch of a running training as a graph with every value and gradient.

python examples/step_a_batch.py
"""

import numpy as np

from gradviz import data, nn, optim


def main() -> None:
    """Train for 100 batches, explore the next one, and train on."""
    digits = data.digits()
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    model.init(rng)
    trainer = nn.Trainer(model, loss="cross_entropy", optimizer=optim.Adam(lr=0.002))

    training = trainer.fit(digits.x_train, digits.y_train, epochs=3, batch_size=64, rng=rng)
    for event in training:
        if event.step == 100:
            break
    print(f"paused after {event.step} batches, loss {event.loss:.3f}")

    run = trainer.explore(digits.x_train[:2], digits.y_train[:2])
    print(f"a batch of two digits is a graph of {len(run.graph)} nodes and {len(run.steps)} steps:")
    for layer, nodes in trainer.groups(run).items():
        print(f"  layer {layer}: {', '.join(nodes)}")
    hidden = run.value("2")
    print(f"ReLU lets through {np.mean(hidden > 0):.0%} of the hidden units")
    print(f"largest gradient of a weight of the first layer: {np.abs(run.grad('1.weight')).max():.4f}")
    print(run.steps[-1].sentence)

    *_, event = training
    print(
        f"went on to batch {event.step}, accuracy {trainer.evaluate(digits.x_test, digits.y_test)['accuracy']:.1%}"
    )


if __name__ == "__main__":
    main()
