"""The training thread: what each command does, what stops it, who waits, and that errors lose nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradviz.app import worker as module
from gradviz.app.turns import Turns
from gradviz.app.worker import Worker
from gradviz.errors import GradvizError, Stopped


class Counting:
    """An experiment of 5 batches an epoch that notes what was done with it."""

    settings = trainer = stage = None
    epoch_length = 5

    def __init__(self, fails_at: int = -1, endless: bool = False) -> None:
        self.fails_at, self.endless = fails_at, endless
        self.inside = False
        self.reset()

    def reset(self) -> None:
        self.batches, self.loss = 0, None
        self.stages: list[str] = []

    @property
    def epoch(self) -> int:
        return self.batches // 5

    @property
    def batch_index(self) -> int:
        return self.batches % 5

    def advance(self, stop: Callable[[], bool] | None = None) -> None:
        assert not self.inside, "two at once"
        self.inside = True
        try:
            while self.endless:
                time.sleep(0.001)
                if stop is not None and stop():
                    raise Stopped("stopped")
            if self.batches == self.fails_at:
                raise GradvizError("the exp of out.3 is not finite")
            self.batches += 1
            self.loss = 1 / self.batches
        finally:
            self.inside = False

    def phases(self, stop: Callable[[], bool] | None = None) -> Iterator[str]:
        for stage in ("sample", "forward", "backward", "update"):
            self.stage = stage
            self.stages.append(stage)
            if stage == "update":
                self.advance(stop)
            yield stage

    def adopt(self, settings: Any) -> bool:
        return False

    def batch(self) -> tuple[int, int]:
        return 0, 0

    def picture(self) -> dict[str, Any]:
        return {"batches": self.batches}


@pytest.fixture
def make() -> Iterator[Callable[..., Worker]]:
    """Workers that are stopped when the test ends."""
    made: list[Worker] = []

    def one(**given: Any) -> Worker:
        turns = given.pop("turns", Turns(4))
        made.append(Worker(Counting(**given), turns=turns))
        return made[-1]

    yield one
    for worker in made:
        worker.pause()


def until(condition: Callable[[], Any]) -> None:
    for _ in range(4000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came")


def batches(worker: Worker) -> int:
    return worker.experiment.batches  # type: ignore[attr-defined, no-any-return]


def test_start_trains_until_pause(make: Callable[..., Worker]) -> None:
    worker = make()
    assert worker.look().state == "paused"
    worker.start()
    assert worker.look().state == "running"
    until(lambda: batches(worker) > 20)
    worker.pause()
    done = batches(worker)
    assert worker.look().state == "paused"
    time.sleep(0.02)
    assert batches(worker) == done
    assert worker.look().picture == {"batches": done}, "the last picture is up to date"
    worker.start()
    until(lambda: batches(worker) > done)


def test_one_batch_and_one_epoch(make: Callable[..., Worker]) -> None:
    worker = make()
    for expected in (1, 2):
        worker.one_batch()
        until(lambda: worker.state == "paused")
        assert batches(worker) == expected
    worker.one_epoch()
    until(lambda: worker.state == "paused")
    assert batches(worker) == 5, "to the end of the epoch"
    worker.one_epoch()
    until(lambda: worker.state == "paused")
    assert batches(worker) == 10


def test_stages_make_a_batch(make: Callable[..., Worker]) -> None:
    worker = make()
    worker.one_stage()
    worker.one_stage()
    assert worker.experiment.stages == ["sample", "forward"]  # type: ignore[attr-defined]
    assert batches(worker) == 0
    worker.one_batch()
    until(lambda: worker.state == "paused")
    assert worker.experiment.stages == ["sample", "forward", "backward", "update"]  # type: ignore[attr-defined]
    assert batches(worker) == 1


def test_slow_training_shows_its_stages(make: Callable[..., Worker]) -> None:
    worker = make()
    worker.limit = module.STAGED
    worker.start()
    until(lambda: len(worker.experiment.stages) >= 2)  # type: ignore[attr-defined]
    worker.limit = 1e6
    until(lambda: batches(worker) > 1)


def test_pause_acts_between_operations(make: Callable[..., Worker]) -> None:
    worker = make(endless=True)
    worker.start()
    until(lambda: worker.experiment.inside)  # type: ignore[attr-defined]
    worker.pause()
    assert worker.state == "paused"
    assert worker.look().error is None
    assert batches(worker) == 0


def test_an_error_is_kept_until_reset(make: Callable[..., Worker]) -> None:
    worker = make(fails_at=7)
    worker.start()
    until(lambda: worker.state == "failed")
    look = worker.look()
    assert "out.3" in str(look.error)
    assert look.picture == {"batches": 7}, "what was learned is still there"
    worker.start()
    worker.one_stage()
    assert (worker.state, batches(worker)) == ("failed", 7)
    worker.reset()
    assert (worker.look().state, batches(worker)) == ("paused", 0)


def test_an_error_in_the_picture_is_shown_too(make: Callable[..., Worker]) -> None:
    worker = make()
    worker._render = lambda experiment, share: 1 / 0
    look = worker.look()
    look = worker.look()
    assert look.state == "failed"
    assert isinstance(look.error, ZeroDivisionError)


def test_training_that_nobody_watches_pauses(
    make: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORGOTTEN", 0.05)
    worker = make()
    worker.start()
    until(lambda: worker.state == "paused")
    look = worker.look()
    assert look.error is None
    assert look.words.endswith("paused since the page no longer asked: Start goes on")
    monkeypatch.setattr(module, "FORGOTTEN", 60.0)
    worker.start()
    worker.pause()
    assert "left" not in worker.look().words


def test_the_rest_wait_in_words_and_come_in_turn(make: Callable[..., Worker]) -> None:
    turns = Turns(1)
    first, second, third = (make(turns=turns) for _ in range(3))
    first.start()
    until(lambda: batches(first) > 0)
    for worker in (second, third):
        worker.start()
        until(lambda: worker.state == "waiting" and turns.ahead(worker))  # noqa: B023
    assert "you are next" in second.look().words
    assert "1 more before you" in third.look().words
    assert batches(second) == 0
    third.one_batch()
    until(lambda: batches(third) == 1)  # too small to queue
    first.pause()
    until(lambda: batches(second) > 0)


def test_a_place_in_line_outlives_a_change_of_settings(make: Callable[..., Worker]) -> None:
    turns = Turns(1, seconds=1e9)
    first, second, third = (make(turns=turns) for _ in range(3))
    for worker in (first, second, third):
        worker.start()
        until(lambda: worker in turns._line)  # noqa: B023
    for worker in (first, second, second):
        with worker.held():
            pass
        assert turns._line == [first, second, third]
    until(lambda: batches(first) > 3)
    with second.held() as experiment:
        experiment.batches = 77
    assert second.look().picture == {"batches": 77}, "what was changed is shown before its turn comes"
    second.one_batch()  # does not queue, so it leaves
    until(lambda: second.state == "paused")
    assert turns._line == [first, third]
    for worker in (first, third):
        worker.pause()
    assert turns._line == []
    assert turns._since == {}


def refuse(stop: Callable[[], bool] | None = None) -> Iterator[str]:
    raise GradvizError("no stage can be done")


def test_who_is_done_while_held_leaves_the_line(make: Callable[..., Worker]) -> None:
    """What was asked for may be reached, given up or impossible when it would go on in its place."""
    turns = Turns(4)
    paused, reached, failed = (make(turns=turns) for _ in range(3))
    for worker, begin in ((paused, paused.start), (reached, reached.one_epoch), (failed, failed.start)):
        worker.limit = 5
        begin()
        until(lambda: worker in turns._line)  # noqa: B023
    for _ in range(20):
        paused.start()
        with paused.held():
            pass
        paused.pause()
        assert paused not in turns._line
    with reached.held() as experiment:
        experiment.batches = 50
    failed.experiment.phases = refuse
    failed.one_stage()
    assert failed.state == "failed"
    until(lambda: reached.state == "paused" and not turns._line)


def test_a_turn_ends_when_somebody_waits(make: Callable[..., Worker]) -> None:
    turns = Turns(1, seconds=0.0)
    workers = [make(turns=turns) for _ in range(3)]
    for worker in workers:
        worker.start()

    def all_went_on() -> bool:
        for worker in workers:
            worker.look()
        return min(map(batches, workers)) > 3

    until(all_went_on)


def test_held_is_between_two_batches_and_training_goes_on(make: Callable[..., Worker]) -> None:
    worker = make()
    worker.start()
    for _ in range(20):
        with worker.held() as experiment:
            before = batches(worker)
            assert not experiment.inside  # type: ignore[attr-defined]
            time.sleep(0.001)
            assert batches(worker) == before
    assert worker.state == "running"
    until(lambda: batches(worker) > before)
    worker.pause()
    with worker.held():
        pass
    assert worker.state == "paused"


def test_everything_is_renewed_but_while_it_trains_at_full_speed() -> None:
    shares: list[float | None] = []
    worker = Worker(Counting(), lambda experiment, share: shares.append(share), turns=Turns(4))

    def shown_since(act: Callable[[], Any]) -> set[float | None]:
        shares.clear()
        act()
        until(lambda: worker.look() and len(shares) >= 3)
        found = set(shares[1:-1])
        worker.pause()
        return found

    assert worker.look().version == 1
    assert shares == [None], "paused"
    assert shown_since(worker.start) == {module.SHARE}
    shares.clear()
    worker.look()
    assert shares == [None], "paused again"
    worker.one_batch()
    until(lambda: worker.look().state == "paused")
    assert shares[-1] is None
    worker.limit = 1e6
    assert shown_since(worker.start) == {module.LIMITED}
    worker.limit = module.STAGED
    assert shown_since(worker.start) == {None}
    worker.limit = None
    worker.start()
    with worker.held():
        shares.clear()
    until(lambda: len(shares) >= 2)
    worker.pause()
    assert shares[:2] == [None, module.SHARE], "at once what somebody changed"


def test_pictures_keep_their_pace_where_batches_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 60 ms: not one picture for two of them."""
    now, shown = 0.0, []
    worker = Worker(Counting(), lambda experiment, share: shown.append(now), turns=Turns(4))

    def batch(stop: Any = None) -> None:
        nonlocal now
        now += 0.06

    worker.experiment.advance = batch  # type: ignore[method-assign]
    worker.look()
    shown.clear()
    monkeypatch.setattr(module, "perf_counter", lambda: now)
    monkeypatch.setattr(module, "FORGOTTEN", 1e9)
    worker._done = lambda: now > 6
    worker._train(lambda: False)
    assert 10 * 6 <= len(shown) <= module.LOOKS * 6 + 1


def test_a_picture_is_made_only_when_something_changed(make: Callable[..., Worker]) -> None:
    worker = make()
    assert worker.look().version == worker.look().version
    worker.one_stage()
    assert worker.look().version == 2


def test_a_new_experiment_takes_the_place_of_one_that_runs(make: Callable[..., Worker]) -> None:
    worker = make()
    worker.start()
    other = Counting()
    worker.replace(lambda: other)
    assert worker.experiment is other
    assert (worker.look().state, worker.look().picture) == ("paused", {"batches": 0})

    def refuse() -> None:
        raise GradvizError("no such data")

    with pytest.raises(GradvizError):
        worker.replace(refuse)
    assert worker.experiment is other


def test_a_glance_keeps_the_training_awake_and_waits_for_no_picture(make: Callable[..., Worker]) -> None:
    worker = make()
    assert worker.glance().picture is None, "look() would take one"
    worker.start()
    until(lambda: worker.glance().version >= 3)
    looked, worker._looked = worker._looked, 0.0
    assert worker.glance().state == "running"
    assert worker._looked >= looked
