"""Fill a random 8×8 hole in digits with two matrices and a ReLU, and compare with the mean digit.

python examples/inpaint.py [--quick]
"""

import sys

from gradviz import optim
from gradviz.demos.live.inpainting import Experiment, Settings

EPOCHS = 3 if "--quick" in sys.argv else 40


def main() -> None:
    """Train with Adam and a falling learning rate, and print the errors inside the holes."""
    experiment = Experiment(Settings(hidden=256, optimizer="adam", learning_rate=0.002))
    rate, schedule = experiment.trainer.optimizer.lr, optim.CosineLR(EPOCHS)
    while experiment.epoch < EPOCHS:
        experiment.trainer.optimizer.lr = schedule(rate, experiment.epoch)
        experiment.advance()
        if experiment.batch_index == 0 and experiment.epoch % 5 == 0:
            print(f"epoch {experiment.epoch}: loss {experiment.loss:.2f}")
    error = experiment.evaluate()
    less = 1 - error["network"] / error["mean digit"]
    print(f"mean squared error inside the hole of 1,000 held-out digits: {error['network']:.4f}")
    print(f"that of the mean training digit: {error['mean digit']:.4f}, so {less:.0%} less")


if __name__ == "__main__":
    main()
