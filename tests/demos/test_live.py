"""The live experiments keep their contract, and show what they say they show."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from gradviz import data, nn
from gradviz.demos import demos
from gradviz.demos.live import (
    decision_regions,
    denoising,
    digits,
    inpainting,
    inpainting_panels,
    linear,
    overfitting,
    parameter_counts,
    permutation,
    restoration,
)
from gradviz.demos.live.curve import STRETCHES, Curve
from gradviz.demos.live.drawing import centred
from gradviz.demos.live.framing import train_and_evaluate
from gradviz.demos.live.holes import HOLES, MISSING, holes
from gradviz.errors import Stopped
from gradviz.nn import optim

CASES: dict[str, tuple[Any, Any]] = {
    "regions": (decision_regions.Experiment, decision_regions.Settings(layers=3)),
    "linear regions": (decision_regions.Experiment, decision_regions.PRESETS["no_line"].settings),
    "collapse": (decision_regions.Experiment, decision_regions.PRESETS["collapse"].settings),
    "spirals": (decision_regions.Experiment, decision_regions.Settings(data="blobs", activation="tanh")),
    **{
        f"digits, {view}": (digits.Experiment, digits.Settings(model="cnn", view=view))
        for view in digits.VIEWS
    },
    "digits, linear": (digits.Experiment, digits.Settings(model="linear", shuffled=True, augmented=True)),
    "digits, neurons of an MLP": (digits.Experiment, digits.Settings(view="neurons")),
    "inpainting": (inpainting.Experiment, inpainting.Settings()),
    "inpainting, whole": (
        inpainting.Experiment,
        inpainting.Settings(hole="left half", loss="whole", optimizer="adam"),
    ),
    "denoising": (denoising.Experiment, denoising.Settings(batch_size=2)),
    "batch norm": (
        denoising.Experiment,
        denoising.Settings(batch_size=2, view="batch norm", photo="chelsea in colour"),
    ),
}
ONE_OF_EACH = ["regions", "digits, linear", "inpainting", "denoising"]
KINDS = {
    "lines", "images", "regions", "network", "histogram", "bars", "confusion", "matrix", "table", "text", "loop", "pad",
}  # fmt: skip


def made(name: str) -> Any:
    make, settings = CASES[name]
    return make(settings)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_batches_and_epochs_are_counted(name: str) -> None:
    experiment = made(name)
    assert (experiment.epoch, experiment.batch_index, experiment.loss) == (0, 0, None)
    experiment.advance()
    assert (experiment.epoch, experiment.batch_index) == (0, 1)
    assert experiment.loss == experiment.trainer.history["loss"][-1]
    experiment.batch_index = experiment.epoch_length - 1
    experiment.advance()
    assert (experiment.epoch, experiment.batch_index) == (1, 0)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_same_random_state_gives_the_same_bits(name: str) -> None:
    def losses(experiment: Any, looking: bool) -> list[float]:
        found = []
        for _ in range(3):
            experiment.advance()
            found.append(experiment.loss)
            if looking:
                experiment.picture()
                experiment.batch()
        return found

    first = made(name)
    expected = losses(first, looking=False)
    assert losses(made(name), looking=True) == expected
    first.reset()
    assert losses(first, looking=False) == expected
    make, settings = CASES[name]
    assert losses(make(replace(settings, random_state=1)), looking=False) != expected


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_batch_in_stages_is_a_batch(name: str) -> None:
    staged, whole = made(name), made(name)
    x, y = whole.batch()
    whole.advance()
    stages = []
    for stage in staged.phases():
        assert staged.stage == stage
        assert (staged.batch_index == 1) == (stage == "update")
        assert np.array_equal(staged.batch()[0], x)
        stages.append(stage)
    assert stages == ["sample", "forward", "backward", "update"]
    assert staged.loss == whole.loss
    assert np.array_equal(whole.batch()[0], x) and np.array_equal(whole.batch()[1], y)
    whole.advance()
    assert not np.array_equal(whole.batch()[0], x)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_stopped_batch_is_taken_again(name: str) -> None:
    stopped, free = made(name), made(name)
    for experiment in (stopped, free):
        experiment.advance()
    with pytest.raises(Stopped):
        stopped.advance(lambda: True)
    next(stopped.phases())
    assert stopped.batch_index == 1
    for experiment in (stopped, free):
        experiment.advance()
    assert stopped.loss == free.loss and stopped.batch_index == free.batch_index


class Dropping(digits.Experiment):
    """An experiment whose training draws masks."""

    def start(self) -> None:
        super().start()
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 10))
        model.init(self.rng)
        self.trainer = nn.Trainer(model, "cross_entropy", optim.SGD(0.1))


@pytest.mark.parametrize("given_up_after", [0, 1, 2])
def test_a_batch_that_is_given_up_has_the_same_masks_again(given_up_after: int) -> None:
    """Stopped in the middle, or shown in part by stages and then left."""
    stopped, free, other = (
        Dropping(digits.Settings()),
        Dropping(digits.Settings()),
        digits.Settings(random_state=1),
    )
    for experiment in (stopped, free):
        experiment.advance()
    for _ in range(2):
        if given_up_after:
            stages = stopped.phases()
            assert [next(stages) for _ in range(given_up_after)]
            del stages
        else:
            with pytest.raises(Stopped):
                stopped.advance(lambda: True)
    for experiment in (stopped, free):
        experiment.advance()
        experiment.advance()
    assert stopped.trainer.history == free.trainer.history
    assert np.array_equal(stopped.trainer.model.flat_parameters(), free.trainer.model.flat_parameters())
    masks = [e.trainer.rng.bit_generator.state for e in (Dropping(digits.Settings()), Dropping(other))]
    assert masks[0] != masks[1], "another random state, other masks"


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_learning_rate_changes_while_it_trains(name: str) -> None:
    experiment = made(name)
    experiment.advance()
    model = experiment.model
    assert experiment.adopt(replace(experiment.settings, learning_rate=1e-4))
    assert experiment.trainer.optimizer.lr == 1e-4 and experiment.model is model
    assert not experiment.adopt(replace(experiment.settings, batch_size=7))
    assert experiment.settings.batch_size != 7


@pytest.mark.parametrize("name", CASES)
def test_pictures(name: str) -> None:
    experiment = made(name)
    before = layout(experiment)
    experiment.advance()
    assert layout(experiment) == before
    if name in ONE_OF_EACH:
        experiment.reset()
        assert layout(experiment) == before


def layout(experiment: Any) -> list[Any]:
    """Id, kind and place of all panels, which must not change while it trains."""
    panels = experiment.picture()["panels"]
    found = [(panel["id"], panel["kind"], panel["width"], panel["rows"]) for panel in panels]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["kind"] in KINDS and panel["title"]
        assert 1 <= panel["width"] <= 12 and 1 <= panel["rows"] <= 8
        for images in [panel["images"]] if panel["kind"] == "images" else []:
            assert len(images) and all(np.isfinite(image).all() for image in images)
            assert len(panel.get("labels", [])) in (0, len(images))
    return found


def test_a_batch_opens_as_a_run() -> None:
    for name in ONE_OF_EACH:
        experiment = made(name)
        x, y = experiment.batch()
        run = experiment.trainer.explore(x[:2], y[:2])
        assert run.value("loss").shape == () and experiment.trainer.groups(run)


@pytest.mark.parametrize("count", [1, 2, STRETCHES, STRETCHES + 1, 5 * STRETCHES, 100_003])
def test_a_curve_stays_short_and_keeps_its_extremes(count: int) -> None:
    y = np.random.default_rng(count).normal(size=count)
    curve = Curve()
    for x, value in enumerate(y):
        curve.add(3 * x, value)
        curve.add(3 * x, 1000.0)  # only the first for each x counts
    found = curve.series()
    places = found["x"].astype(int) // 3
    assert len(curve) == count and curve.last == y[-1]
    assert len(places) == count if count <= STRETCHES else STRETCHES / 2 <= len(places) <= 2 * STRETCHES + 2
    assert (np.diff(places) > 0).all() and (places[0], places[-1]) == (0, count - 1)
    assert np.array_equal(found["y"], y[places])
    assert (found["y"].min(), found["y"].max()) == (y.min(), y.max())
    assert np.diff(places).max(initial=0) <= max(1, 8 * count // STRETCHES), "everywhere as dense"


def test_live_experiments_are_no_demos() -> None:
    assert "live" not in demos() and len(demos()) > 4


# Decision regions


def trained(settings: Any, steps: int) -> decision_regions.Experiment:
    experiment = decision_regions.Experiment(settings)
    for _ in range(steps):
        experiment.advance()
    return experiment


def test_no_line_separates_xor_and_a_hidden_layer_does() -> None:
    line = trained(decision_regions.PRESETS["no_line"].settings, 200)
    hidden = trained(decision_regions.PRESETS["hidden_layer"].settings, 200)
    for part in ("train", "test"):
        assert line.evaluate()[part]["accuracy"] <= 0.75
        assert hidden.evaluate()[part]["accuracy"] >= 0.98
    assert 0.7 <= line.best_line <= 0.76


@pytest.mark.parametrize("flip", [False, True])
def test_the_best_line(flip: bool) -> None:
    x = np.random.default_rng(0).standard_normal((50, 2))
    y = (x @ [1.0, -2.0] > 0.3).astype(int)
    assert linear.best_line(x, 1 - y if flip else y) > 0.95
    assert linear.best_line(x, np.zeros(50)) == 1
    assert linear.best_line(np.array([[0, 0], [1, 1], [0, 1], [1, 0]]), np.array([0, 0, 1, 1])) == 0.75


def test_layers_without_activation_are_one_matrix() -> None:
    experiment = trained(decision_regions.PRESETS["collapse"].settings, 50)
    found = linear.collapse(experiment.model)
    w1, w2, w3 = found.matrices
    assert np.allclose(found.product, w3 @ w2 @ w1, rtol=1e-12, atol=0)
    assert found.difference <= 1e-12
    x = experiment.x_test
    outputs = experiment.trainer.predict(x)
    assert np.allclose(outputs, x @ found.product.T + found.bias, atol=1e-5)
    bent = trained(replace(experiment.settings, activation="relu"), 50)
    assert not np.allclose(bent.trainer.predict(x), x @ linear.collapse(bent.model).product.T, atol=0.1)


def test_regions_and_maps_are_the_network_on_a_grid() -> None:
    experiment = trained(decision_regions.Settings(data="spirals", layers=3, width=5), 20)
    x0, x1, _, y1 = experiment.extent
    regions, maps = experiment.regions(6), experiment.neuron_maps(6)
    assert regions.shape == (2, 6, 6) and [found.shape for found in maps] == [(5, 6, 6)] * 2
    assert np.allclose(regions.sum(axis=0), 1, atol=1e-6)
    cell = (x1 - x0) / 6
    corner = np.array([[x0 + cell * 1.5, y1 - cell * 0.5]], np.float32)  # row 0 is the top one
    assert np.allclose(experiment.trainer.predict(corner)[0], experiment.scores(6)[:, 0, 1], atol=1e-5)
    p = experiment.model.parameters()
    first = np.maximum(0, corner @ p["0.weight"].T + p["0.bias"])
    second = np.maximum(0, first @ p["2.weight"].T + p["2.bias"])
    assert np.allclose(maps[0][:, 0, 1], first[0], atol=1e-5)
    assert np.allclose(maps[1][:, 0, 1], second[0], atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_lines_are_where_a_neuron_is_zero(layers: int) -> None:
    experiment = trained(decision_regions.Settings(layers=layers, activation="tanh", width=4), 10)
    lines = np.array(experiment.lines(), np.float32)
    assert len(lines) == (1 if layers == 1 else 4)
    p = experiment.model.parameters()
    for i, line in enumerate(lines):
        values = line @ p["0.weight"].T + p["0.bias"]
        value = values[:, 1] - values[:, 0] if layers == 1 else values[:, i]
        assert np.allclose(value, 0, atol=1e-4)
        assert (np.abs(line).max(axis=1) > experiment.extent[1]).all()


def test_points_can_be_added_while_it_trains() -> None:
    experiment = trained(decision_regions.Settings(count=10, batch_size=4), 2)
    settings = replace(experiment.settings, points=((0.5, 0.25, 1), (9.0, 9.0, 0)), regularisation=0.5)
    assert experiment.adopt(settings)
    assert experiment.x[-2:].tolist() == [[0.5, 0.25], [9, 9]] and experiment.y[-2:].tolist() == [1, 0]
    assert experiment.extent[1] > 9 and experiment.epoch_length == 3
    assert experiment.trainer.optimizer.weight_decay == 0.5
    experiment.advance()
    assert not experiment.adopt(
        replace(settings, points=((0.0, 0.0, 2),))
    )  # a third class needs a third output
    assert decision_regions.Experiment(replace(settings, points=((0.0, 0.0, 2),))).classes == 3


def test_own_points_alone() -> None:
    empty = decision_regions.Experiment(decision_regions.Settings(data=decision_regions.OWN))
    assert sorted(empty.y) == [0, 1]
    x, y = data.read_points("x,y,c\n0,1,0\n2,3,1\n4,5,2")
    points = tuple((float(a), float(b), int(c)) for (a, b), c in zip(x, y, strict=True))
    own = trained(decision_regions.Settings(data=decision_regions.OWN, points=points, optimizer="sgd"), 3)
    assert own.samples == 3 and own.classes == 3 and own.regions().shape[0] == 3


def test_too_many_neurons() -> None:
    fits = list(overfitting.overfitting(widths=(2, 64), steps=400))
    assert [fit.done for fit in fits] == list(range(1, 11)) and fits[0].total == 10
    few, many = overfitting.medians(fits)
    assert many["train_loss"] < 0.1 * few["train_loss"]
    assert many["test_loss"] > 1.5 * few["test_loss"]
    assert [len(line["y"]) for line in overfitting.study_panel(fits)["series"]] == [2, 2]


# Digits


@pytest.fixture(scope="module")
def mlp() -> digits.Experiment:
    experiment = digits.Experiment(digits.Settings())
    while experiment.epoch < 2:
        experiment.advance()
    experiment.picture()
    return experiment


def test_digits_are_learned(mlp: digits.Experiment) -> None:
    assert mlp.evaluate()["accuracy"] > 0.87
    assert mlp.accuracies.last == pytest.approx(mlp.evaluate()["accuracy"])
    assert np.allclose(mlp.probabilities.sum(axis=1), 1, atol=1e-5)


def test_confusion_and_mistakes(mlp: digits.Experiment) -> None:
    counts = mlp.confusion()
    assert counts.sum() == 1000 and np.array_equal(counts.sum(axis=1), [100] * 10)
    assert np.trace(counts) == round(1000 * mlp.evaluate()["accuracy"])
    worst = mlp.mistakes(12)
    assert (mlp.answers[worst] != mlp.truth[worst]).all()
    sure = mlp.probabilities[worst, mlp.answers[worst]]
    assert (np.diff(sure) <= 0).all()
    others = np.setdiff1d(np.flatnonzero(mlp.answers != mlp.truth), worst)
    assert mlp.probabilities[others].max(axis=1).max() <= sure.min()
    in_cell = mlp.mistakes(200, (3, 3))
    assert len(in_cell) == counts[3, 3] and (mlp.truth[in_cell] == 3).all()


def test_units_and_templates(mlp: digits.Experiment) -> None:
    assert np.array_equal(mlp.templates()[7].ravel(), mlp.model.parameters()["1.weight"][7])
    p = mlp.model.parameters()
    hidden = np.maximum(0, mlp.test.reshape(-1, 784) @ p["1.weight"].T + p["1.bias"])
    most = mlp.exciting(7, 5)
    assert np.allclose(hidden[most, 7], np.sort(hidden[:, 7])[::-1][:5], atol=1e-4)


def test_a_filter_is_excited_by_the_place_where_it_says_most() -> None:
    experiment = digits.Experiment(digits.Settings(model="cnn"))
    maps = experiment.outputs(experiment.test[:50])["4"]
    assert maps.shape == (50, 16, 14, 14)
    assert np.allclose(experiment.excitement[:50], maps.reshape(50, 16, -1).max(axis=2), atol=1e-5)


def test_the_gradient_of_the_winning_score(mlp: digits.Experiment) -> None:
    answer = mlp.classify(mlp.test[4, 0])
    assert answer.winner == 4 and answer.probabilities.sum() == pytest.approx(1, abs=1e-5)
    row, column = np.unravel_index(np.abs(answer.gradient).argmax(), (28, 28))
    step = np.zeros((28, 28), np.float32)
    step[row, column] = 0.01
    up, down = (mlp.trainer.predict((mlp.test[4] + s)[None])[0, answer.winner] for s in (step, -step))
    assert (up - down) / 0.02 == pytest.approx(answer.gradient[row, column], rel=0.02)


def test_what_a_person_picks(mlp: digits.Experiment) -> None:
    mlp.adopt(replace(mlp.settings, view="mistakes"))
    mlp.handle({"kind": "cell", "panel": "confusion", "row": 7, "column": 7})
    mlp.picture()
    mlp.handle({"kind": "pick", "panel": "cell", "index": 2})
    assert mlp.cell == (7, 7) and mlp.truth[mlp.chosen] == 7
    mlp.handle({"kind": "pick", "panel": "units", "index": 11})
    assert mlp.unit == 11
    mlp.handle({"kind": "drawing", "panel": "pad", "pixels": np.roll(mlp.test[1, 0], 3, axis=1)})
    mlp.adopt(replace(mlp.settings, view="drawing"))
    panels = {panel["id"]: panel for panel in mlp.picture()["panels"]}
    assert np.allclose(panels["seen"]["images"][0], mlp.test[1, 0], atol=1e-6)
    assert panels["answer"]["highlight"] == 1


def test_drawings_are_prepared_as_mnist_was() -> None:
    images = data.digits().x_test[:200, 0]
    for image in images:
        assert np.allclose(centred(image), image, atol=1e-6)
    large = np.kron(images[3], np.ones((5, 5), np.float32))  # five times as large, and off the middle
    moved = np.zeros((200, 200), np.float32)
    moved[:140, 60:] = large
    assert np.abs(centred(moved) - images[3]).mean() < 0.02
    assert not centred(np.zeros((28, 28), np.float32)).any()
    dot = np.zeros((28, 28), np.float32)
    dot[2, 3] = 1
    assert centred(dot)[14, 14] == 1


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"model": "cnn", "augmented": True},
        {"hidden": 50, "shuffled": True, "augmented": True},
        {"shuffled": True},
    ],
    ids=str,
)
def test_the_framing_runs_as_shown(chosen: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    settings = digits.Settings(**chosen)
    text = train_and_evaluate(settings).replace("epochs=5", "epochs=2")
    exec(compile(text, "shown", "exec"), {})
    percent, _, rest = capsys.readouterr().out.partition("%")
    assert float(percent) > 85 and "held-out digits" in rest
    assert f"Adam(lr={settings.learning_rate})" in text and f"batch_size={settings.batch_size}" in text
    assert ("order =" in text, "shifts" in text) == (settings.shuffled, settings.augmented)


def test_a_convolution_needs_fewer_parameters() -> None:
    found = {count.name: count for count in parameter_counts.counts()}
    dense, filters = found["dense, 784 → 8·784"], found["8 filters of 3×3"]
    assert (dense.parameters, dense.multiply_adds) == (785 * 6272, 784 * 6272)
    assert (filters.parameters, filters.multiply_adds) == (80, 9 * 6272)
    assert found["MLP, 100 hidden"].parameters == 785 * 100 + 101 * 10
    assert found["CNN"].parameters == 80 + 16 * 73 + 785 * 10
    dense, filters = parameter_counts.dense_and_filter()
    assert dense.shape == (100, 10) and np.ptp(dense) > 1
    assert np.allclose(dense, filters, atol=1e-5)


def test_shuffled_pixels_are_all_there() -> None:
    plain, shuffled = (digits.Experiment(digits.Settings(shuffled=value)) for value in (False, True))
    assert not np.array_equal(plain.test, shuffled.test)
    assert np.array_equal(np.sort(plain.test.ravel()), np.sort(shuffled.test.ravel()))
    assert np.array_equal(shuffled.test.reshape(-1, 784), plain.test.reshape(-1, 784)[:, digits.SHUFFLE])


def test_a_cnn_cares_about_the_order_of_pixels_and_an_mlp_does_not() -> None:
    results = list(permutation.study(epochs=2))
    assert [result.done for result in results] == list(range(1, 9)) and results[-1].total == 8
    accuracy = {(result.model, result.shuffled): result.accuracy for result in results if result.last}
    assert abs(accuracy["mlp", False] - accuracy["mlp", True]) < 0.02
    assert accuracy["cnn", False] - accuracy["cnn", True] > 0.04
    panel = permutation.study_panel(results)
    assert panel["values"] == [accuracy["mlp", False], accuracy["cnn", False]]
    with pytest.raises(Stopped):
        next(permutation.study(stop=lambda: True))


# Inpainting


@pytest.mark.parametrize("kind", HOLES)
def test_holes(kind: str) -> None:
    missing = holes(kind, 40, 8, np.random.default_rng(0))
    assert missing.shape == (40, 28, 28)
    assert (missing.sum(axis=(1, 2)) == (64 if kind == "random square" else 392)).all()
    if kind == "random square":
        rows, columns = missing.any(axis=2), missing.any(axis=1)
        assert (rows.sum(axis=1) == 8).all() and (columns.sum(axis=1) == 8).all()
        assert rows[:, [0, 27]].any() and len(np.unique(rows.argmax(axis=1))) > 10


def test_inpainting_learns_from_the_visible_part() -> None:
    experiment = inpainting.Experiment(inpainting.Settings())
    x, y = experiment.batch()
    assert (x != y).any(axis=1).all() and (x[x != y] == MISSING).all()
    before = experiment.evaluate()
    truth, inside = experiment.truth, experiment.holes
    mean = data.digits().flat.x_train.mean(axis=0)
    assert before["mean digit"] == pytest.approx(((mean - truth) ** 2)[inside].mean(), rel=1e-4)
    predicted = experiment.trainer.predict(experiment.test)
    assert before["network"] == pytest.approx(((predicted - truth) ** 2)[inside].mean(), rel=1e-4)
    for _ in range(200):
        experiment.advance()
    after = experiment.evaluate()
    assert after["network"] < 0.6 * before["network"] and after["mean digit"] == before["mean digit"]


@pytest.mark.parametrize("optimizer", inpainting.OPTIMIZERS)
def test_one_weight_in_numbers(optimizer: str) -> None:
    """The formula that the page names for its optimiser, evaluated with the numbers beside it."""
    experiment = inpainting.Experiment(inpainting.Settings(optimizer=optimizer, learning_rate=0.02))
    for event in ({"kind": "pick", "index": 3}, {"kind": "cell", "row": 13, "column": 15}):
        experiment.handle(event)
    assert experiment.entry == (13 * 28 + 15, 3)
    gradients = []
    for _ in range(3):
        before = float(experiment.weights[1][experiment.entry])
        experiment.advance()
        update = experiment.update
        assert update is not None and update.before == before and update.gradient != 0
        assert update.after == experiment.weights[1][experiment.entry]
        gradients.append(update.gradient)
        if optimizer == "sgd":
            step = 0.02 * update.gradient
        else:
            mean, square = update.moments
            weights = np.array([0.1 * 0.9**k for k in reversed(range(len(gradients)))])
            assert mean == pytest.approx(weights @ gradients / weights.sum(), rel=1e-4)
            step = 0.02 * mean / (np.sqrt(square) + 1e-8)
        assert update.after == pytest.approx(before - step, abs=1e-7)
    texts = {panel["id"]: panel for panel in experiment.picture()["panels"]}
    rule = {"sgd": "W ← W − 0.02 · ∂L/∂W", "adam": "W ← W − 0.02 · m̂ / (√v̂ + ε)"}[optimizer]
    assert texts["loop"]["texts"]["update"] == rule
    shown = [float(line[11:].split()[0].strip(",").replace("−", "-")) for line in texts["update"]["lines"]]
    assert shown[0] + shown[-2] == pytest.approx(shown[-1], abs=2e-6), "W and the step make W, updated"


def test_the_error_is_told_beside_the_mean_digit() -> None:
    experiment = inpainting.Experiment(inpainting.Settings())
    while experiment.epoch < 2:
        experiment.advance()
    found = experiment.evaluate()
    panel = next(panel for panel in experiment.picture()["panels"] if panel["id"] == "error")
    assert (
        panel["title"]
        == f"In the hole: error {1 - found['network'] / found['mean digit']:.0%} below mean digit"
    )
    assert panel["series"][0]["y"][-1] == found["network"]


@pytest.mark.parametrize("loss", inpainting_panels.LOSSES)
def test_without_the_half_every_gradient_is_exactly_twice_as_large(loss: str) -> None:
    experiment = inpainting.Experiment(inpainting.Settings(loss=loss))
    found = experiment.two_losses()
    assert found.whole == pytest.approx(2 * found.half, rel=1e-6)
    assert len(found.ratios) > 100_000 and set(found.ratios) == {2.0}
    x, y = (array[:16] for array in experiment.batch())
    w1, w2 = experiment.weights
    hidden = np.maximum(0, x @ w1.T)
    assert np.allclose(
        found.half_gradients["2.weight"], (hidden @ w2.T - y).T @ hidden / 16, rtol=1e-3, atol=1e-5
    )


# Denoising


def test_a_blur_spreads_and_keeps_the_mean() -> None:
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1
    blurred = restoration.gaussian_blur(point, 2.0)
    offsets = np.arange(41) - 20
    assert blurred.sum() == pytest.approx(1, abs=1e-5)
    assert (blurred.sum(axis=1) * offsets**2).sum() == pytest.approx(4, rel=0.01)
    assert np.allclose(blurred, blurred.T, atol=1e-7)
    assert np.allclose(restoration.gaussian_blur(np.full((3, 5, 3), 0.5, np.float32), 1.5), 0.5, atol=1e-6)


def test_the_best_blur_is_better_than_its_neighbours() -> None:
    clean = data.photos()["camera"].astype(np.float32) / 255
    noisy = restoration.with_noise(clean, 25, np.random.default_rng(0))
    assert nn.psnr(noisy, clean, data_range=1.0) == pytest.approx(20.17, abs=0.1)  # −20 log₁₀(25/255)
    cut = np.clip(noisy, 0, 1)
    assert restoration.image_psnr(noisy, clean) == restoration.image_psnr(cut, clean), (
        "like is compared with like"
    )
    best, width = restoration.best_blur(noisy, clean)
    quality = restoration.image_psnr(best, clean)
    assert quality > 26
    for other in (width - 0.2, width + 0.2):
        assert restoration.image_psnr(restoration.gaussian_blur(noisy, other), clean) < quality


def test_tiles_are_the_whole() -> None:
    model = denoising.make_model(4, 3, np.random.default_rng(0))
    for value in model.parameters().values():
        value[...] = np.random.default_rng(1).standard_normal(value.shape)
    image = np.random.default_rng(2).random((45, 38, 3), np.float32)
    model.eval()

    def estimate(margin: int) -> restoration.Denoised:
        rng = np.random.default_rng(3)
        pieces = list(restoration.piece_by_piece(model, image, 25, rng, margin, tile=16))
        assert [piece.done for piece in pieces] == list(range(1, 10))
        return pieces[-1].denoised

    found = estimate(margin=4)
    whole = restoration.from_planes(model(restoration.to_planes(found.noisy)))
    assert np.allclose(found.estimate, whole, atol=1e-4)
    assert not np.allclose(estimate(margin=2).estimate, whole, atol=1e-4)


@pytest.fixture(scope="module")
def denoiser() -> denoising.Experiment:
    experiment = denoising.Experiment(denoising.Settings(batch_size=4))
    for _ in range(12):
        experiment.advance()
    return experiment


def test_it_starts_by_finding_no_noise() -> None:
    experiment = denoising.Experiment(denoising.Settings())
    assert np.array_equal(experiment.estimate(), experiment.noisy)


def test_held_out_photos_are_held_out() -> None:
    photos = denoising.training_photos()
    assert photos.shape == (8, 256, 256)
    for name in denoising.HELD_OUT:
        assert not (photos == data.photos()[name] / np.float32(255)).all(axis=(1, 2)).any()
    patches = denoising.random_patches(photos, 50, 40, np.random.default_rng(0))
    assert patches.shape == (50, 1, 40, 40) and len({patch.tobytes() for patch in patches}) == 50


def test_denoising_gets_better(denoiser: denoising.Experiment) -> None:
    assert np.mean(denoiser.trainer.history["loss"][-4:]) < 0.8 * denoiser.trainer.history["loss"][0]


@pytest.mark.parametrize("shape", [(37, 53, 3), (37, 53), (1, 1), (200, 60)])
def test_any_size_grey_or_colour(denoiser: denoising.Experiment, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = denoiser.denoise(image)
    for part in (found.clean, found.noisy, found.estimate, found.noise, found.blurred):
        assert part.shape == shape and np.isfinite(part).all()
    assert set(found.psnr) == {"noisy", "best blur", "network"}
    if len(shape) == 3:
        alone = denoiser.trainer.predict(found.noisy[None, None, :, :, 1])[0, 0]
        assert np.allclose(found.estimate[:, :, 1], alone, atol=1e-5)


def test_a_users_image_stays_on_show(denoiser: denoising.Experiment) -> None:
    experiment = denoising.Experiment(denoiser.settings)
    image = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    experiment.show(image)
    experiment.advance()
    assert experiment.picture()["panels"][0]["images"][0].shape == (37, 53, 3)
    assert experiment.adopt(replace(experiment.settings, view="batch norm")) and experiment.image is image
    experiment.reset()
    assert experiment.image is image
    assert experiment.adopt(replace(experiment.settings, photo="camera"))
    assert experiment.image is data.photos()["camera"]


def test_statistics_of_the_batch_and_running_ones(denoiser: denoising.Experiment) -> None:
    before = denoiser.statistics()
    assert [s.path for s in before] == ["noise.3", "noise.6", "noise.9"]
    denoiser.advance()
    after = denoiser.statistics()
    x = denoiser.trainer.activations["noise.2"]
    assert np.allclose(after[0].batch_mean, x.mean(axis=(0, 2, 3)), atol=1e-5)
    assert np.allclose(after[0].batch_var, x.var(axis=(0, 2, 3)), rtol=1e-4)
    n = x.size // 16
    unbiased = after[0].batch_var * n / (n - 1)
    for running, earlier, batch in (
        (after[0].running_mean, before[0].running_mean, after[0].batch_mean),
        (after[0].running_var, before[0].running_var, unbiased),
    ):
        assert np.allclose(running, 0.9 * earlier + 0.1 * batch, rtol=1e-4, atol=1e-5)


def test_training_and_evaluation_mode_differ_and_change_nothing(denoiser: denoising.Experiment) -> None:
    state = denoiser.model.state_dict()
    assert np.abs(denoiser.training_estimate() - denoiser.estimate()).max() > 1e-4
    assert all(np.array_equal(value, state[name]) for name, value in denoiser.model.state_dict().items())


def test_the_study_of_widths_can_be_left() -> None:
    assert len(list(islice(overfitting.overfitting(steps=1), 3))) == 3


def test_another_weight_waits_for_its_numbers() -> None:
    experiment = inpainting.Experiment(inpainting.Settings(hidden=4))

    def shown() -> list[str]:
        return next(panel for panel in experiment.picture()["panels"] if panel["id"] == "update")["lines"]

    assert "not computed yet" in shown()[1]
    experiment.advance()
    before = shown()
    assert before[-1].startswith("W, updated")
    experiment.handle({"kind": "cell", "row": 3, "column": 2})
    weight = f"{experiment.weights[1][3 * 28 + 2, 0]:+.6f}".replace("-", "−")
    assert shown()[0].endswith(weight)
    assert shown() != before
    assert len(shown()) == 3
    experiment.advance()
    assert shown()[-1].startswith("W, updated")


def test_each_stage_of_the_first_batch_is_lit() -> None:
    experiment = inpainting.Experiment(inpainting.Settings(hidden=4))

    def loop() -> dict[str, Any]:
        return next(panel for panel in experiment.picture()["panels"] if panel["id"] == "loop")

    assert loop()["stage"] is None
    for stage in experiment.phases():
        assert loop()["stage"] == stage
        assert loop()["texts"]["forward"].startswith("loss ") == (stage != "sample"), stage


def test_own_points_have_no_test_set() -> None:
    points = ((-1.0, 0.0, 0), (1.0, 0.0, 1), (0.5, 0.5, 1))
    experiment = decision_regions.Experiment(
        decision_regions.Settings(data=decision_regions.OWN, points=points)
    )
    experiment.advance()
    panels = {panel["id"]: panel for panel in experiment.picture()["panels"]}
    assert [series["label"] for series in panels["loss"]["series"]] == ["train"]
    assert "test" not in panels["accuracy"]["labels"]
    assert not panels["plane"]["test"].any()


@pytest.mark.parametrize(("module", "panel"), [(inpainting, "error"), (denoising, "quality")])
def test_the_last_value_of_a_chart_is_the_true_one(module: Any, panel: str) -> None:
    """Also where it lies beyond the axis: the legend tells it."""
    experiment = module.Experiment(module.Settings())
    shown = next(one for one in experiment.picture()["panels"] if one["id"] == panel)
    found = {series["label"]: series["y"][-1] for series in shown["series"]}["network"]
    true = (
        experiment.evaluate()["network"]
        if module is inpainting
        else restoration.image_psnr(experiment.estimate(), experiment.clean)
    )
    assert found == pytest.approx(true, rel=1e-6)
