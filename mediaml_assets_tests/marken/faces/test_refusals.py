import pytest

from mediaml_assets import errors
from mediaml_assets.errors import (
    AnnotationRefused,
    MarkenError,
    MediamlError,
    NotStored,
    OperationRefused,
    QueryRefused,
    RequestRefused,
    SchemaRefused,
    TitlesUnreachable,
    Unreachable,
)
from mediaml_assets.marken.faces.refusals import STATUS, from_json, status_of, to_json

EVERY = [
    (QueryRefused("filter: no such property", "filter:1:12"), 400),
    (RequestRefused("no JSON", "body"), 422),
    (AnnotationRefused("label of row 3 is no text", "label"), 422),
    (OperationRefused("it is finished"), 409),
    (NotStored("there is no annotation x"), 404),
    (TitlesUnreachable("a server does not answer", ["a", "b"]), 503),
    (Unreachable("the bucket does not answer"), 503),
    (SchemaRefused("there is no type SHOOT"), 404),
    (MarkenError("annotations cannot be kept"), 500),
]


@pytest.mark.parametrize(("error", "status"), EVERY)
def test_an_error_is_itself_again_after_json(error: MediamlError, status: int) -> None:
    again = from_json(to_json(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert status_of(error) == status


def test_every_error_of_annotations_is_known_on_the_wire() -> None:
    of_marken = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, MarkenError)}
    assert of_marken <= STATUS.keys()


@pytest.mark.parametrize("form", [None, "Bad Gateway", {}, {"error": "QueryRefused"}, [], {"message": 3}])
def test_what_is_no_error_form_is_a_marken_error(form: object) -> None:
    assert type(from_json(form)) is MarkenError


def test_an_unknown_kind_of_error_and_one_of_another_tree_keep_their_message() -> None:
    class Newer(QueryRefused):
        pass

    assert to_json(Newer("that", "x"))["error"] == "QueryRefused"
    assert to_json(errors.ModelMissing("that"))["error"] == "MarkenError"
    again = from_json({"error": "SystemExit", "message": "that"})
    assert type(again) is MarkenError and str(again) == "that"
