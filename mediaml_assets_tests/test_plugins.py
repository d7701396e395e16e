"""Features of other packages join the mesh by an entry point; those that cannot are left out and named."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from click.testing import CliRunner
from dagster._core.definitions.utils import DISALLOWED_NAMES

from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.cli import main
from mediaml_assets.definitions import definitions
from mediaml_assets.errors import FeatureError
from mediaml_assets.mesh import GROUPS, assemble, mesh, replicas
from mediaml_assets_tests.amber.orchestration.test_automation import deliver, since
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import calls, counts_version, letters, total, toy_mesh

Install = Callable[..., None]

HEAD = """
import pyarrow as pa
from mediaml_assets.amber.checks import in_range
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.shots import Shots, shots as other_shots
N = pa.schema([("n", pa.int64())])
"""

COUNTED = f"""{HEAD}
@amber_feature(schema=N)
def counted_shots(shots: Shots) -> pa.Table:
    '''How many shots there are.'''
    return pa.table({{"n": [len(shots)]}}, schema=N)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution of one module: its code and its entry points, as pip leaves them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)

    def made(distribution: str, code: str, **entries: str) -> None:
        module = distribution.replace("-", "_")
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in (entries or {"them": module}).items()]
        (info / "entry_points.txt").write_text("\n".join(["[mediaml.features]", *lines]))

    yield made
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(site)):
            del sys.modules[name]


def reasons() -> dict[str, str]:
    """Distribution -> why it is left out."""
    return {one.distribution: one.reason for one in assemble().left_out}


@pytest.mark.parametrize(
    "entries",
    [
        {"counted": "shot_counter:counted_shots"},
        {"all": "shot_counter:ALL"},
        {"module": "shot_counter"},
    ],
)
def test_a_feature_a_tuple_or_a_module_joins_the_mesh(install: Install, entries: dict[str, str]) -> None:
    install("shot-counter", f"{COUNTED}\nALL = (counted_shots,)\nother_name = counted_shots\n", **entries)
    assembly = assemble()
    assert assembly.left_out == ()
    ours = {feature.name for group in GROUPS.values() for feature in group}
    assert set(assembly.mesh.features) == ours | {"counted_shots"}
    assert assembly.groups["counted_shots"] == "shot_counter"


def test_without_plugins_there_are_our_own(install: Install) -> None:
    assembly = assemble()
    assert assembly.left_out == () and len(assembly.groups) == len(assembly.mesh.features)


BROKEN = [
    ("raise ImportError('no module named torch_of_theirs')", "ImportError: no module named torch_of_theirs"),
    ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ("def broken(:", "SyntaxError: invalid syntax"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("x = 1", "broken is module and no feature; name a function declared with @amber_feature"),
    (COUNTED.replace("def counted_shots", "def shots"), "two features have the name shots; rename one of them"),
    (COUNTED.replace("shots: Shots", "shot: Shots"), "counted_shots reads shot, which is no feature"),
    (COUNTED.replace("Shots)", "int)"), "counted_shots: the parameter shots needs a type with `columns`"),
    (COUNTED.replace("schema=N)\n", "schema=N, replicas=('tape',))\n"), "counted_shots cannot be copied to 'tape'"),
    (COUNTED.replace("def counted_shots", "def type"), "'type' cannot be the name of a feature"),
    (COUNTED.replace("def counted_shots", "def quarantine"), "'quarantine' cannot be the name of a feature"),
    (COUNTED.replace("def counted_shots", "def SHOTS"), "two features have the name shots; rename one of them"),
    (COUNTED.replace("schema=N)\n", "schema=N, kinds=('two words',))\n"), "counted_shots has the kind 'two words'"),
    (COUNTED.replace("schema=N)\n", "schema=N, checks=[in_range('m', 0, 1)])\n"), "asks of m, which is no column"),
]


@pytest.mark.parametrize(("code", "says"), BROKEN)
def test_a_broken_plugin_is_left_out_and_named_and_the_others_join(
    install: Install, code: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken", code)
    install("shot-counter", COUNTED.replace("counted_shots", "other_count"))
    assembly = assemble()
    assert "other_count" in assembly.mesh.features
    (left,) = assembly.left_out
    assert (left.distribution, left.name) == ("broken", "them") and says in left.reason
    loaded = definitions()
    assert any(str(left) in record.getMessage() for record in caplog.records)
    spec = next(spec for spec in loaded.resolve_all_asset_specs() if spec.key.path[0] == "left_out")
    assert spec.description is not None and "broken: its features 'them' are left out: " in spec.description
    printed = CliRunner().invoke(main, ["status"], env={"COLUMNS": "200"}).output
    assert "plugin left out broken: its features 'them' are left out" in printed and says in printed


def test_a_setting_may_be_a_list_of_numbers(install: Install) -> None:
    config = """
from dataclasses import dataclass
@dataclass(frozen=True)
class Sizes:
    sizes: tuple[int, ...] = (1, 2)
    shares: tuple[float | str, ...] = (0.5, "all")
    titles: tuple[str, ...] | None = None
"""
    code = COUNTED.replace("@amber_feature", f"{config}@amber_feature").replace(
        "shots: Shots", "shots: Shots, config: Sizes"
    )
    install("sized", code)
    dg.Definitions.validate_loadable(definitions())
    assert assemble().left_out == ()


def test_a_helper_that_cannot_be_read_leaves_it_out(install: Install) -> None:
    """What a function imports inside is part of its fingerprint, and is imported for it."""
    install("late", COUNTED.replace("    return", "    import late.missing\n    return"))
    assert "late" in reasons()["late"]


def test_plugins_may_read_each_other_in_any_order(install: Install) -> None:
    code = f"""{HEAD}
from mediaml_assets_tests.amber.toy import Shares

@amber_feature(version="1", schema=N)
def doubled(counted_shots: Shares) -> pa.Table: ...
"""
    install("a-reader", code)
    assert reasons()["a-reader"].startswith("doubled reads counted_shots, which is no feature")
    install("shot-counter", COUNTED)
    order = list(assemble().mesh.features)
    assert reasons() == {} and order.index("counted_shots") < order.index("doubled")


def test_of_two_plugins_with_one_name_the_first_by_name_stays(install: Install) -> None:
    install("bees", COUNTED)
    install("ants", COUNTED)
    assert list(reasons()) == ["bees"] and assemble().groups["counted_shots"] == "ants"


def test_the_configuration_of_what_is_left_out_is_no_mistake(install: Install, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/mediaml.toml").write_text("[features.counted_shots]\nk = 1\n[features.match_cuts]\nk = 7\n")
    with pytest.raises(FeatureError, match="configures counted_shots, which is no feature"):
        mesh()
    install("shot-counter", "import nowhere_to_be_found")
    assert mesh().features["match_cuts"].config.k == 7
    (tmp_path / "home/mediaml.toml").write_text("[replicas]\ncounted_shots = ['shards']\nmotion = ['shards']\n")
    assert ("motion", "shards") in [(one.feature, one.kind) for one in replicas()]


def test_in_dagster_it_stands_in_a_group_of_its_distribution(install: Install) -> None:
    install("shot.counter-2", COUNTED, them="shot.counter_2:counted_shots")
    install("shot-counter", COUNTED)
    specs = {spec.key.to_user_string(): spec for spec in definitions().resolve_all_asset_specs()}
    assert specs["counted_shots"].group_name == "shot_counter"
    assert specs["counted_shots"].description == "How many shots there are."
    assert specs["left_out/shot_counter_2/them"].group_name == "shot_counter_2"


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(tmp_path, instance, toy_mesh())


def test_it_back_fills_the_catalogue_and_runs_on_newcomers(
    install: Install, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAML_HOME", str(platform.home))
    monkeypatch.setattr("mediaml_assets.mesh.GROUPS", {"toy": (letters, counts_version("1", ""), total)})
    for name in ("one", "two"):
        deliver(platform, f"{name}.mp4", name)
    platform.settle()
    before = calls()
    code = """
import pyarrow as pa
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets_tests.amber.toy import Letters, SHARES, called

@amber_feature(schema=SHARES)
def lengths(letters: Letters) -> pa.Table:
    called("lengths", letters.title)
    return pa.table({"n": [len(letters.text)]}, schema=SHARES)
"""
    install("letter-lengths", code)
    platform.load(assemble().mesh)
    platform.settle()
    assert sorted(since(before)) == ["lengths/one", "lengths/two"]
    deliver(platform, "three.mp4", "three")
    platform.settle()
    assert platform.store.view("lengths", "three").row() == {"n": 5}
    assert platform.store.view("lengths", "two").row() == {"n": 3}


OUR_OWN = ("Metrics", "congruence", "ledger", "shots_as_of", "shots_history", "shots__shards")


@pytest.mark.parametrize("name", sorted({*DISALLOWED_NAMES, "größe", "_hidden", "a-b", "2nd", "scratch", *OUR_OWN}))
def test_a_name_that_is_taken_or_that_dagster_would_refuse_is_refused_when_declared(name: str) -> None:
    def fn() -> pa.Table: ...

    fn.__name__ = name
    with pytest.raises(FeatureError, match="cannot be the name of a feature"):
        amber_feature(schema=pa.schema([]))(fn)
