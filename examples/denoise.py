"""Train DnCNN on eight photos and denoise two others: noise of σ = 25 of 255, against the best Gaussian blur.

python examples/denoise.py [--quick]
"""

import sys
import time

from gradviz import optim
from gradviz.demos.live.denoising import Experiment, Settings

EPOCHS = 2 if "--quick" in sys.argv else 50  # of 21 batches


def main() -> None:
    """Train with a falling learning rate, and print the PSNR of both held-out photos."""
    start = time.perf_counter()
    experiment = Experiment(Settings(learning_rate=0.005))
    rate, schedule = experiment.trainer.optimizer.lr, optim.CosineLR(EPOCHS)
    while experiment.epoch < EPOCHS:
        experiment.trainer.optimizer.lr = schedule(rate, experiment.epoch)
        experiment.advance()
        if experiment.batch_index == 0 and experiment.epoch % 5 == 0:
            print(f"epoch {experiment.epoch} of {EPOCHS}: loss {experiment.loss:.5f}")
    print(f"trained in {time.perf_counter() - start:.0f} s")
    for name, psnr in experiment.evaluate().items():
        gain = psnr["network"] - psnr["best blur"]
        values = ", ".join(f"{version} {value:.2f} dB" for version, value in psnr.items())
        print(f"{name}: {values}: {gain:+.2f} dB")


if __name__ == "__main__":
    main()
