"""Taking objects away that nothing refers to, beside writers who may refer to them a moment later.

    remover   1  move the object to trash/<run>/   2  read what refers to it         3  referred to: back; else remove
    writer    1  create it, or find it there       2  create what refers to it       3  not there: make it again
    reader    finds a reference and no object: looks in the trash, and moves it back

Why nothing is lost, whoever stops for however long, and whatever the clocks say: of a remover and a writer of the same
object, one takes its step 2 last. Is it the remover, it reads the reference and puts the object back. Is it the
writer, the object had been moved before he wrote the reference, so he finds it missing in his step 3. No third case is
left. Meanwhile an object that is referred to may lie in the trash for a moment, also for longer when the remover was
killed there: then the first reader or the next remover puts it back.

A reader who knows of an object from before may bring it back although nothing refers to it any more; so once it is
removed, whether it is there again is looked at, and it is taken away again.

A writer who is killed between his steps 2 and 3 may leave a memo without its value, which is computed again when it is
next asked for (`evaluation`).

There is one remover at a time, by a claim. On a bucket a claim can be taken over from a process that stalls; two
removers do no harm to one another, but blobs may then be removed of a value that lies in the other's trash.
"""

import os
import uuid
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from mediaml_assets.amber.objects import Objects, is_stored
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import NotStored

FOLDER = "trash"


def take_away(objects: Objects, names: Iterable[str], referred: Callable[[list[str]], Collection[str]]) -> list[str]:
    """Remove objects unless something refers to them; returns those that were removed.

    Args:
        objects: where they are.
        names: what seems to be referred to by nothing; moved to the trash in this order.
        referred: called once they are there; reads which of those names something refers to by now.
    """
    run = f"{FOLDER}/{uuid.uuid4().hex}"
    moved = [name for name in names if _move(objects, name, f"{run}/{name}")]
    return settle(objects, [f"{run}/{name}" for name in moved], referred)


def settle(objects: Objects, trashed: list[str], referred: Callable[[list[str]], Collection[str]]) -> list[str]:
    """Put back what something refers to, and remove the rest; the names (without the trash's) that are gone now."""
    if not trashed:
        return []
    stay = referred([former_name(place) for place in trashed])
    removed = []
    for place in trashed:
        name = former_name(place)
        if name in stay:
            _put_back(objects, place, name)
        else:
            objects.remove(place)
            removed.append(name)
    # somebody who read of it before may have brought it back, or made it anew: that is judged by itself
    again = [name for name in removed if is_stored(objects, name)]
    removed = sorted({*removed} - {*again}) + take_away(objects, again, referred)
    if isinstance(objects, FolderObjects):
        _prune(objects.path(FOLDER))
    return removed


def bring_back(objects: Objects, name: str) -> bool:
    """Put an object back that somebody refers to and that may be in the trash; whether it is there now."""
    for run in objects.folders(FOLDER):
        if _put_back(objects, f"{FOLDER}/{run}/{name}", name):
            return True
    # another reader, or the remover, may have been first
    return is_stored(objects, name)


def former_name(place: str) -> str:
    """What an object in the trash, or one that `repair` moved away, was called before."""
    return place.split("/", 2)[2]


def _prune(root: Path) -> None:
    """Remove the empty folders of runs, which only a folder keeps."""
    for folder, _, _ in os.walk(root, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)


def _put_back(objects: Objects, place: str, name: str) -> bool:
    with suppress(NotStored):
        objects.put_back(place, name)
        return True
    return False


def _move(objects: Objects, name: str, to: str) -> bool:
    with suppress(NotStored):
        objects.move(name, to)
        return True
    return False
