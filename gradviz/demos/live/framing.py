"""Classification without rules for each digit: a function that learns from examples, and one that answers (D8)."""

TRAIN_AND_EVALUATE = """\
import numpy as np
from gradviz import data, nn, optim


def train(images, labels):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    rng = np.random.default_rng(0)
    model.init(rng)
    trainer = nn.Trainer(model, loss="cross_entropy", optimizer=optim.Adam(lr=0.002))
    for event in trainer.fit(images, labels, epochs=5, batch_size=64, rng=rng):
        pass
    return model


def evaluate(model, images):
    scores = model.eval()(images)
    return scores.argmax(axis=1)


digits = data.digits()
model = train(digits.x_train, digits.y_train)
answers = evaluate(model, digits.x_test)
print(f"{np.mean(answers == digits.y_test):.1%} of the held-out digits are right")
"""
