"""Whatever was lost on the way, the reconcile sensor asks for what is stale, and for nothing else."""

import dagster as dg
import pytest

from mediaml_assets.amber.orchestration.reconcile import reconcile_sensor
from mediaml_assets.landing.arrivals import look
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.sensors import report
from mediaml_assets_tests.amber.orchestration.test_automation import deliver
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import calls, toy_mesh

Asked = list[tuple[str, str | None]]


class Reconciler:
    """The sensor, ticked by hand."""

    def __init__(self, platform: Platform, titles_per_tick: int = 200) -> None:
        self.platform = platform
        self.titles_per_tick = titles_per_tick
        self.cursor: str | None = None
        self.requests: list[dg.RunRequest] = []

    def sensor(self) -> dg.SensorDefinition:
        return reconcile_sensor(self.platform.mesh, seconds=60, titles_per_tick=self.titles_per_tick)

    def tick(self) -> Asked:
        result = self.platform.tick(self.sensor(), self.cursor)
        self.cursor = result.cursor
        self.requests = list(result.run_requests or [])
        return [(request.asset_selection[0].to_user_string(), request.partition_key) for request in self.requests]

    def keys(self) -> list[str | None]:
        self.tick()
        return [request.run_key for request in self.requests]


@pytest.fixture
def reconciler(platform: Platform) -> Reconciler:
    return Reconciler(platform)


def land_unheard(platform: Platform) -> None:
    """The title is known and its source in the store, but Dagster was told of no event."""
    tick = look(LandingFolder(platform.landing, settle_seconds=0), platform.store, platform.known)
    platform.known = tick.known
    platform.instance.add_dynamic_partitions("titles", [one.title for one in tick.arrivals])


def compute(platform: Platform, asked: Asked) -> None:
    """What the runs asked for would store, without a run."""
    for name, title in asked:
        platform.mesh.compute(platform.store, name, [title] if title else platform.titles())


def test_nothing_landed_is_nothing_to_do(reconciler: Reconciler) -> None:
    assert reconciler.tick() == []


def test_lost_events_are_made_up_for_step_by_step(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    land_unheard(platform)
    steps: list[Asked] = []
    while asked := reconciler.tick():
        steps.append(asked)
        compute(platform, asked)
    assert steps == [
        [("letters", "one"), ("letters", "two")],
        [("counts", "one"), ("counts", "two")],
        [("total", None)],
    ]


def test_a_run_that_it_asks_for_really_runs(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    land_unheard(platform)
    for _ in range(3):
        platform.run(reconciler.tick())
    assert calls() == ["letters/one", "counts/one", "total/one"]
    assert reconciler.tick() == []
    assert platform.requested() == []


def test_at_rest_it_asks_for_nothing(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert reconciler.tick() == []


def test_a_withdrawal_that_nobody_heard_of(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    (platform.landing / "one.mp4").unlink()
    land_unheard(platform)
    for wanted in ([("letters", "one")], [("counts", "one")], [("total", None)], []):
        asked = reconciler.tick()
        assert asked == wanted
        compute(platform, asked)


def test_the_same_question_has_the_same_run_key(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "crash")
    land_unheard(platform)
    first = reconciler.keys()
    assert len(first) == 1 and reconciler.keys() == first
    platform.run([("letters", "one")])
    assert reconciler.keys() == first
    deliver(platform, "one.mp4", "crash again")
    land_unheard(platform)
    assert reconciler.keys() != first


def test_code_a_then_b_then_a_is_asked_for_each_time(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    land_unheard(platform)
    compute(platform, [("letters", "one")])
    keys = []
    for mesh in (toy_mesh("1"), toy_mesh("2", factor=10), toy_mesh("1"), toy_mesh("2", factor=10)):
        platform.load(mesh)
        keys += reconciler.keys()
        compute(platform, [("counts", "one")])
    assert len(keys) == 4 and len(set(keys)) == 4


def test_a_refused_title_is_not_asked_for(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "bad.mp4", "a!")
    deliver(platform, "held.mp4", "q")
    platform.settle()
    assert reconciler.tick() == []


def test_a_title_that_is_being_worked_on_is_left_alone(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    land_unheard(platform)
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    run = platform.instance.create_run_for_job(
        job, tags={"dagster/partition": "one"}, status=dg.DagsterRunStatus.STARTED
    )
    assert reconciler.tick() == [("letters", "two")]
    compute(platform, [("letters", "two"), ("counts", "two")])
    # the answer over all titles waits as well: the run may be about to change it
    assert reconciler.tick() == []
    platform.instance.report_run_failed(run)
    assert reconciler.tick() == [("letters", "one")]


def test_titles_are_taken_slice_by_slice(platform: Platform) -> None:
    reconciler = Reconciler(platform, titles_per_tick=2)
    for name in "abcde":
        deliver(platform, f"{name}.mp4", name)
    land_unheard(platform)
    slices = [[title for _, title in reconciler.tick()] for _ in range(4)]
    assert slices == [["a", "b"], ["c", "d"], ["e"], ["a", "b"]]


def test_a_title_that_has_just_landed_is_left_to_the_events_of_its_landing(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    land_unheard(platform)
    for patience, asked in ((3600, []), (0, ["one"])):
        sensor = reconcile_sensor(platform.mesh, seconds=60, patience_seconds=patience)
        requests = platform.tick(sensor, None).run_requests or []
        assert [one.partition_key for one in requests] == asked


def test_a_cursor_beyond_the_last_title_begins_again(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    land_unheard(platform)
    reconciler.cursor = "4000"
    assert reconciler.tick() == [("letters", "one")]


def test_a_report_that_came_late_changes_nothing(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    tick = look(LandingFolder(platform.landing, settle_seconds=0), platform.store, {})
    platform.instance.add_dynamic_partitions("titles", ["one"])
    for _ in range(3):
        platform.run(reconciler.tick())
    before = calls()
    report(platform.instance, tick)
    platform.settle()
    assert calls() == before


def test_a_question_that_failed_is_not_asked_again_and_holds_up_nobody(
    platform: Platform, reconciler: Reconciler
) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "crash")
    land_unheard(platform)
    compute(platform, [("letters", "one"), ("counts", "one")])
    assert reconciler.tick() == [("letters", "two")]
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    job.execute_in_process(
        partition_key="two",
        instance=platform.instance,
        asset_selection=[dg.AssetKey("letters")],
        raise_on_error=False,
        tags=dict(reconciler.requests[0].tags),
    )
    # the answer over all titles comes without it
    assert reconciler.tick() == [("total", None)]


def test_a_question_whose_runs_are_killed_is_asked_three_times(platform: Platform, reconciler: Reconciler) -> None:
    deliver(platform, "one.mp4", "abba")
    land_unheard(platform)
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    keys = []
    for _ in range(3):
        assert reconciler.tick() == [("letters", "one")]
        keys.append(reconciler.requests[0].run_key)
        tags = {**reconciler.requests[0].tags, "dagster/partition": "one"}
        run = platform.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        assert reconciler.tick() == []
        platform.instance.report_run_failed(run, "the process of this run was killed")
    assert len(set(keys)) == 3
    assert ("letters", "one") not in reconciler.tick()


def test_a_damaged_row_of_one_title_holds_up_no_other(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    land_unheard(platform)
    for row in (platform.home / "store/ledger/source/one").rglob("*.json"):
        row.write_bytes(row.read_bytes()[:-9])
    sensor = reconcile_sensor(platform.mesh, seconds=60)
    assert [one.partition_key for one in platform.tick(sensor, None).run_requests or []] == ["two"]
