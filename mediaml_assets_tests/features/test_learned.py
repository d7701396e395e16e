from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from mediaml_assets.errors import FeatureError, ModelMissing
from mediaml_assets.features.learned import LEARNED, LearnedConfig, learned
from mediaml_assets.features.models.scorer_file import FORMAT, Layer, Scorer, mapped, read_scorer, write_scorer
from mediaml_assets.features.shot_embedding import Embeddings
from mediaml_assets.features.shots import Shot, Shots


def embeddings(count: int, width: int, seed: int = 0) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(count, 3, width)).astype(np.float32)
    return Embeddings(np.arange(count, dtype=np.int32), vectors / np.linalg.norm(vectors, axis=2, keepdims=True))


def shots(*indices: int) -> Shots:
    return Shots(tuple(Shot(i, i, i + 1, i, i + 1) for i in indices))


def column(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table.column(name).to_pylist(), np.float32)


def network(seed: int, *widths: int) -> list[Layer]:
    random = np.random.default_rng(seed)
    return [
        Layer(random.normal(size=(high, low)).astype(np.float32), random.normal(size=high).astype(np.float32))
        for low, high in pairwise(widths)
    ]


def test_without_a_scorer_it_is_the_cosine_of_the_last_against_the_first() -> None:
    seen = embeddings(4, 7)
    table = learned(seen, shots(0, 2, 3), LearnedConfig(level=0.25))
    assert table.schema.equals(LEARNED)
    assert table.column("index").to_pylist() == [0, 2, 3]
    np.testing.assert_allclose(column(table, "out_vector"), seen.vectors[[0, 2, 3], 2], atol=1e-5)
    np.testing.assert_allclose(column(table, "in_vector"), seen.vectors[[0, 2, 3], 0], atol=1e-5)
    assert set(table.column("level").to_pylist()) == {0.25}


def test_wide_embeddings_are_projected_and_cosines_stay() -> None:
    seen = embeddings(30, 3000)
    seen.vectors[:, 0] = seen.vectors[:, 2] * 0.9 + seen.vectors[:, 0] * np.sqrt(1 - 0.9**2)
    table = learned(seen, shots(*range(30)), LearnedConfig())
    out, in_ = column(table, "out_vector"), column(table, "in_vector")
    assert out.shape == (30, 1024)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, atol=1e-4)
    exact = (seen.vectors[:, 2] / np.linalg.norm(seen.vectors[:, 2], axis=1, keepdims=True)) @ (
        seen.vectors[:, 0] / np.linalg.norm(seen.vectors[:, 0], axis=1, keepdims=True)
    ).T
    error = out @ in_.T - exact
    near = np.diag(error)
    assert error.std() < 1.2 / 32 and abs(near).max() < 5 * (1 - 0.9**2) / 32


def test_a_shots_vectors_do_not_depend_on_how_many_are_worked_out_together() -> None:
    seen = embeddings(30, 2096)
    table = learned(seen, shots(*range(30)), LearnedConfig())
    for place in range(30):
        assert learned(seen, shots(place), LearnedConfig()).equals(table.slice(place, 1))


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    scorer = Scorer(network(1, 6, 5, 4), network(2, 6, 4), 0.2, "descriptor")
    write_scorer(tmp_path / "a.safetensors", scorer)
    found = read_scorer(tmp_path / "a.safetensors")
    assert (found.level, found.embedding, found.reads) == (0.2, "descriptor", 6)
    seen = embeddings(5, 6).vectors[:, 0]
    for given, read in ((scorer.out, found.out), (scorer.in_, found.in_)):
        np.testing.assert_array_equal(mapped(seen, given), mapped(seen, read))


def test_two_layers_are_what_torch_computes() -> None:
    import torch

    layers = network(3, 6, 5, 4)
    seen = embeddings(9, 6).vectors[:, 0]
    steps: list[torch.nn.Module] = []
    for number, layer in enumerate(layers):
        linear = torch.nn.Linear(*reversed(layer.weight.shape))
        linear.load_state_dict({"weight": torch.from_numpy(layer.weight), "bias": torch.from_numpy(layer.bias)})
        steps += [torch.nn.LeakyReLU(0.01)] * (number > 0) + [linear]
    with torch.inference_mode():
        wanted = torch.nn.Sequential(*steps)(torch.from_numpy(seen)).numpy()
    np.testing.assert_allclose(mapped(seen, layers), wanted, atol=1e-5)


def test_a_trained_scorer_maps_tails_and_heads_apart(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    scorer = Scorer(network(1, 6, 5, 4), network(2, 6, 4), 0.2)
    write_scorer(path, scorer)
    seen = embeddings(3, 6)
    table = learned(seen, shots(1, 2), LearnedConfig(f"file:{path}"))
    for name, layers, moment in (("out_vector", scorer.out, 2), ("in_vector", scorer.in_, 0)):
        wanted = mapped(seen.vectors[[1, 2], moment], layers)
        np.testing.assert_allclose(
            column(table, name), wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5
        )
    assert table.column("level").to_pylist() == pytest.approx([0.2, 0.2])


def test_one_map_may_serve_both_ends_and_halves_are_read(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float16)
    save_file({"out.0.weight": weight}, tmp_path / "s.safetensors", FORMAT)
    found = read_scorer(tmp_path / "s.safetensors")
    assert found.in_ is found.out and found.level == 0
    np.testing.assert_array_equal(found.out[0].weight, weight.astype(np.float32))
    write_scorer(tmp_path / "again.safetensors", found)
    assert read_scorer(tmp_path / "again.safetensors").in_ is not None


def test_the_key_follows_the_files_bytes(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    write_scorer(path, Scorer(network(1, 6, 4), network(2, 6, 4)))
    before = LearnedConfig(f"file:{path}").key_parts()
    write_scorer(path, Scorer(network(1, 6, 4), network(3, 6, 4)))
    assert LearnedConfig(f"file:{path}").key_parts() != before
    assert LearnedConfig().key_parts() == {}
    with pytest.raises(ModelMissing, match="there is no scorer"):
        LearnedConfig(f"file:{tmp_path / 'absent'}").key_parts()


FINE = {"out.0.weight": np.ones((3, 4), np.float32)}


@pytest.mark.parametrize(
    ("tensors", "said", "why"),
    [
        (FINE, {}, "metadata says format None"),
        (FINE, {**FORMAT, "version": "2"}, "version '2'"),
        (FINE, {**FORMAT, "level": "1"}, "level 1.0 is not in"),
        (FINE, {**FORMAT, "level": "high"}, "could not convert"),
        ({**FINE, "middle.0.weight": FINE["out.0.weight"]}, FORMAT, "holds the tensor middle.0.weight"),
        ({"out.1.weight": FINE["out.0.weight"]}, FORMAT, "out.1.weight out of order"),
        ({"in.0.weight": FINE["out.0.weight"]}, FORMAT, "no out.0.weight"),
        ({**FINE, "out.1.weight": np.ones((2, 2), np.float32)}, FORMAT, "layer out.0 gives 3 numbers"),
        ({**FINE, "in.0.weight": np.ones((2, 4), np.float32)}, FORMAT, "give vectors of different widths"),
        ({**FINE, "in.0.weight": np.ones((3, 5), np.float32)}, FORMAT, "read vectors of different widths"),
        ({**FINE, "out.0.bias": np.ones(4, np.float32)}, FORMAT, "4 numbers for 3 rows"),
        ({"out.0.weight": np.ones((3, 4), np.int32)}, FORMAT, "int32"),
        ({"out.0.weight": np.full((3, 4), np.nan, np.float32)}, FORMAT, "no number"),
    ],
)
def test_what_is_no_scorer_is_a_clear_error(
    tensors: dict[str, np.ndarray], said: dict[str, str], why: str, tmp_path: Path
) -> None:
    save_file(tensors, tmp_path / "s.safetensors", said)
    with pytest.raises(ModelMissing, match=rf"s\.safetensors is no scorer of format mediaml-scorer 1: .*{why}"):
        read_scorer(tmp_path / "s.safetensors")


def test_what_is_no_safetensors_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "s.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelMissing, match="no scorer of format"):
        read_scorer(tmp_path / "s.safetensors")


def test_other_embeddings_than_it_was_trained_on_are_named(tmp_path: Path) -> None:
    write_scorer(tmp_path / "s.safetensors", Scorer(network(1, 6, 4), network(2, 6, 4), embedding="hf:clip"))
    with pytest.raises(FeatureError, match=r"reads embeddings of 6 numbers \(trained on hf:clip\), .* have 7"):
        learned(embeddings(2, 7), shots(0), LearnedConfig(f"file:{tmp_path / 's.safetensors'}"))


def test_names_and_levels_that_cannot_be_are_errors() -> None:
    with pytest.raises(ModelMissing, match="no scorer is named 'best'"):
        learned(embeddings(2, 7), shots(0), LearnedConfig("best"))
    with pytest.raises(FeatureError, match=r"in \[0, 1\), not 1.5"):
        learned(embeddings(2, 7), shots(0), LearnedConfig(level=1.5))
