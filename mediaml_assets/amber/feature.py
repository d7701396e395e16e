"""The declaration of an Amber Feature: a plain function, its schema, version, scope, configuration and checks.

    @amber_feature(version="1", schema=MOTION)
    def motion(standard_encode: Media, unique_shots: Shots, config: MotionConfig) -> pa.Table:
        '''Mean optical flow of the first and last second of each shot.'''

A parameter's name is the upstream feature and its type says how it is read: `columns` (what it depends on) and
`from_value(view)`. A type with `each_from_value(view)` is one of many: the function is called once for each of them and
gives one row, a mapping without the first column of the schema, which is the index. Three names are not features:
`config`, a frozen dataclass of plain values with defaults, `scratch`, an empty temporary folder, and `cache`, what the
feature derived before and keeps (see cache.py). Declaring makes no Dagster object; `definitions.py` does that.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cached_property
from keyword import iskeyword
from typing import Any, ClassVar, Protocol, Self, get_args, get_origin, get_type_hints

import pyarrow as pa

from mediaml_assets.amber.code.fingerprint import fingerprint
from mediaml_assets.amber.columns import declaration, is_blob
from mediaml_assets.amber.keys import SHORT, digest_of
from mediaml_assets.errors import FeatureError


class ReadsValue(Protocol):
    """What a parameter's type supplies: the columns it reads and how it is made from a stored value."""

    columns: ClassVar[Sequence[str]]
    """Names of the columns read; `("*",)` reads them all."""

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Make the parameter from a view of a stored value."""
        ...


class ReadsEach(Protocol):
    """What the type of a parameter supplies that is one of many: the function is called once for each of them."""

    columns: ClassVar[Sequence[str]]

    @classmethod
    def each_from_value(cls, view: Any) -> Iterable[tuple[int, Self]]:
        """The items of a stored value, each with its index."""
        ...


class Scope(Enum):
    """What one computation of a feature covers."""

    TITLE = "title"
    SHOW = "show"
    CATALOGUE = "catalogue"


@dataclass(frozen=True)
class Check:
    """A question asked of every value before it may become current."""

    name: str
    failure: Callable[[pa.Table], str | None]
    """The reason why the rows fail, or None when they pass."""
    description: str
    blocking: bool = True
    """Whether a failing value is kept from becoming current and holds back what is downstream of it."""
    columns: tuple[str, ...] = ()
    """Columns that it asks of, which the feature must have."""


@dataclass(frozen=True)
class Input:
    """One parameter: an upstream feature, and the type that reads it."""

    name: str
    reads: Any
    """A type that is a ReadsValue, or a ReadsEach."""
    many: bool
    """Whether the parameter is `Mapping[str, T]`: one value for each title (or show, over the catalogue)."""
    each: bool = False
    """Whether the function is called once for each item of the value."""
    over: Scope = Scope.TITLE
    """What one value of the upstream covers; the mesh fills it in."""
    members: str = ""
    """The per-show value that says which titles are read; empty when all are. The mesh fills it in."""


@dataclass(frozen=True)
class Members:
    """The titles of a show: what the mesh lets every feature of a show depend on, though no function is given it.

    It reads no column, so that no key covers it: a key covers the titles' values themselves.
    """

    columns: ClassVar[Sequence[str]] = ()
    titles: tuple[str, ...]

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read the column `title`; none of a show that has no titles any more."""
        return cls(() if view.withdrawn else tuple(view.table(["title"]).column("title").to_pylist()))


@dataclass(frozen=True)
class AmberFeature:
    """A declared feature; calling it calls the plain function."""

    name: str
    fn: Callable[..., Any]
    schema: pa.Schema
    version: str | None
    scope: Scope
    inputs: tuple[Input, ...]
    config: Any
    """The default configuration (a frozen dataclass instance), or None."""
    wants_scratch: bool
    wants_cache: bool = False
    libs: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    kinds: tuple[str, ...] = ()
    description: str = ""
    automatic: bool = True
    """Whether it is kept up to date by itself, or made when asked for; what one of the former reads is so in a mesh."""
    replicas: tuple[str, ...] = ()
    """Kinds of replica that its values are copied to."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the plain function."""
        return self.fn(*args, **kwargs)

    def configured(self, values: Mapping[str, Any]) -> "AmberFeature":
        """The same feature with other defaults; raises FeatureError for a name it does not know."""
        return replace(self, config=config_from(self, values)) if values else self

    @cached_property
    def code(self) -> str:
        """Fingerprint (hex, `SHORT`) of all code that decides a value: the function, its checks and its schema."""
        checks = [[check.name, check.blocking, fingerprint(check.failure)] for check in self.checks]
        return digest_of([fingerprint(self.fn), declaration(self.schema), checks])[:SHORT]

    @property
    def each(self) -> Input | None:
        """The parameter that is one of many, of a function that is called for each of them; None of any other."""
        return next((one for one in self.inputs if one.each), None)

    def blocks(self, failed: Collection[str]) -> bool:
        """Whether one of these failed checks keeps a value from becoming current."""
        return any(check.blocking and check.name in failed for check in self.checks)

    @cached_property
    def blobs(self) -> tuple[str, ...]:
        """Columns that hold names of stored files."""
        return tuple(one.name for one in self.schema if is_blob(one))

    @cached_property
    def without_nulls(self) -> tuple[str, ...]:
        """Columns that are declared to hold no nulls."""
        return tuple(one.name for one in self.schema if not one.nullable)


def amber_feature(
    *,
    schema: pa.Schema,
    version: str | None = None,
    scope: Scope = Scope.TITLE,
    libs: Sequence[str] = (),
    checks: Sequence[Check] = (),
    kinds: Sequence[str] = (),
    automatic: bool = True,
    replicas: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], AmberFeature]:
    """Declare a function as an Amber Feature.

    Args:
        schema: the columns of the value, in order; the function's rows are checked against it.
        version: the practitioner's promise that equal versions give equal values; without it the key holds a
            fingerprint of the function's code.
        scope: what one call covers.
        libs: distributions whose version is part of the key (a decoder, a model library).
        checks: questions asked of every value.
        kinds: tags that the Dagster UI shows on the asset.
        automatic: False for a feature that is made only when somebody asks, or an automatic one reads it.
        replicas: where current values are copied to as well: "shards", "vectors", "delta", "iceberg", "marken".

    Raises:
        FeatureError: a parameter has no type, or a type that cannot read a value; a check has a name that cannot be,
            or asks of a column that there is not; a kind is no word.
    """

    def declare(fn: Callable[..., Any]) -> AmberFeature:
        _check_name(fn.__name__)
        _check_checks(fn.__name__, checks, schema)
        _check_kinds(fn.__name__, kinds)
        hints = get_type_hints(fn)
        names = list(inspect.signature(fn).parameters)
        inputs = tuple(_input(fn, name, hints.get(name)) for name in names if name not in _GIVEN)
        several = [one.name for one in inputs if one.each]
        if len(several) > 1:
            raise FeatureError(f"{fn.__name__} is called for each of {' and of '.join(several)}; it can be one of them")
        return AmberFeature(
            name=fn.__name__,
            fn=fn,
            schema=schema,
            version=version,
            scope=scope,
            inputs=inputs,
            config=_default_config(fn, hints) if "config" in names else None,
            wants_scratch="scratch" in names,
            wants_cache="cache" in names,
            libs=tuple(libs),
            checks=tuple(checks),
            kinds=tuple(kinds),
            description=inspect.getdoc(fn) or "",
            automatic=automatic,
            replicas=tuple(replicas),
        )

    return declare


def config_from(feature: AmberFeature, values: Mapping[str, Any]) -> Any:
    """The feature's configuration with some values replaced; lists become tuples.

    Raises:
        FeatureError: there is no such value, or its default is of another type (a whole number will do for any number).
    """
    known = {one.name for one in fields(feature.config)} if feature.config is not None else set()
    unknown = sorted(set(values) - known)
    if unknown:
        has = ", ".join(sorted(known)) or "none"
        raise FeatureError(f"{feature.name} has no configuration named {', '.join(unknown)}; it has {has}")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for name, value in plain.items():
        default = getattr(feature.config, name)
        fits = type(value) is type(default) or (type(value), type(default)) == (int, float)
        if value is not None and default is not None and not fits:
            raise FeatureError(f"{name} of {feature.name} is {value!r}; it must be like its default, {default!r}")
    return replace(feature.config, **plain) if plain else feature.config


_GIVEN = ("config", "scratch", "cache")
"""Parameters that are no features."""

_NOT_NAMES = frozenset((
    "arg_dict", "bool", "cache", "conf", "config", "context", "dict", "float", "input", "input_arg_dict", "int", "meta",
    "output", "output_arg_dict", "scratch", "str", "type",
))  # fmt: skip
"""Parameters that are no features, and names that Dagster keeps for itself."""


_TAKEN = frozenset({"congruence", "current", "history", "ledger", "metrics", "quarantine"})
"""What the store and its SQL views call their own things; so are `<feature>_history`, `<feature>_as_of`
and `<feature>__<replica>`."""


def _check_name(name: str) -> None:
    taken = name.lower() in _TAKEN or name.lower().endswith(("_history", "_as_of")) or "__" in name
    if taken:
        raise FeatureError(
            f"{name!r} cannot be the name of a feature: {', '.join(sorted(_TAKEN))}, names that end in '_history' or "
            "'_as_of' and names with '__' are those of views and replicas; rename the function"
        )
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in _NOT_NAMES or iskeyword(name):
        raise FeatureError(
            f"{name!r} cannot be the name of a feature: letters a-z, digits and '_', beginning with a letter, and none "
            f"of {', '.join(sorted(_NOT_NAMES))}; rename the function"
        )


DRIFT = "code_unchanged"
"""The check that fails when code changed under a pinned version."""


def _check_checks(feature: str, checks: Sequence[Check], schema: pa.Schema) -> None:
    taken = {DRIFT}
    for one in checks:
        if not re.fullmatch(r"[A-Za-z0-9_]+", one.name) or one.name in taken:
            raise FeatureError(
                f"{feature} has a check named {one.name!r}: a name has letters a-z, digits and '_' only, and there is "
                f"one check of each name and none named {DRIFT!r}; name it otherwise"
            )
        taken.add(one.name)
        unknown = sorted(set(one.columns) - set(schema.names))
        if unknown:
            raise FeatureError(
                f"the check {one.name} of {feature} asks of {', '.join(unknown)}, which is no column; it may be one of "
                f"{', '.join(schema.names)}"
            )


def _check_kinds(feature: str, kinds: Sequence[str]) -> None:
    odd = [one for one in kinds if not re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", one)]
    if odd:
        raise FeatureError(
            f"{feature} has the kind {odd[0]!r}: it has up to 63 letters, digits, '_', '.' or '-'; call it otherwise"
        )


def _input(fn: Callable[..., Any], name: str, hint: Any) -> Input:
    origin = get_origin(hint)
    many = isinstance(origin, type) and issubclass(origin, Mapping)
    reads = get_args(hint)[1] if many else hint
    each = not many and hasattr(reads, "each_from_value")
    if not (each or hasattr(reads, "from_value")) or not hasattr(reads, "columns"):
        raise FeatureError(
            f"{fn.__name__}: the parameter {name} needs a type with `columns` and `from_value`, not {hint!r}"
        )
    return Input(name, reads, many, each)


_PLAIN = (bool, int, float, str, tuple, type(None))
"""What a configuration can hold: it is shown in the Dagster UI, written in mediaml.toml and part of the key."""


def _default_config(fn: Callable[..., Any], hints: Mapping[str, Any]) -> Any:
    kind = hints.get("config")
    if isinstance(kind, type) and is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        with suppress(TypeError):
            config = kind()
            odd = [one.name for one in fields(config) if not isinstance(getattr(config, one.name), _PLAIN)]
            if odd:
                raise FeatureError(f"{fn.__name__}: `config` has {', '.join(odd)}, which is no plain value by default")
            return config
    raise FeatureError(f"{fn.__name__}: `config` needs a frozen dataclass with defaults as its type, not {kind!r}")
