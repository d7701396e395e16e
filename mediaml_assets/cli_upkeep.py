"""The commands of `mediaml` that keep the feature store whole and tidy."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from mediaml_assets.installation import installed_store, prepare

if TYPE_CHECKING:
    from mediaml_assets.amber.store import Store


@click.command()
@click.argument("features", nargs=-1, metavar="[FEATURE]...")
@click.option("--sample", type=click.IntRange(min=1), default=None, help="Look at so many values, drawn at random.")
@click.option("--seed", type=int, default=None, help="Draw the same sample again.")
def verify(features: tuple[str, ...], sample: int | None, seed: int | None) -> None:
    """Look for damage in the feature store.

    Reads every object of the store, or of the FEATUREs, and names each one that was changed, forged or removed. With
    --sample, reads the whole ledger but only some of the values. Ends with an error when something is wrong.
    """
    from mediaml_assets.amber.upkeep.verify import verify as verify_store
    from mediaml_assets.progress import verifying

    prepare()
    store = installed_store()
    with verifying() as watch:
        report = verify_store(store, _known(store, features), sample, seed, watch)
    for note in report.notes:
        click.echo(f"note: {note}")
    for finding in report.findings:
        click.echo(f"DAMAGED {finding}", err=True)
    drawn = "" if report.seed is None else f", a sample drawn with --seed {report.seed}"
    click.echo(f"{report.objects:,} objects, {report.bytes / 1e6:,.1f} MB looked at{drawn}")
    if report.findings:
        raise click.ClickException(
            f"damaged: {len(report.findings)}. `mediaml repair` moves what is damaged away and computes it again"
        )


@click.command()
@click.argument("features", nargs=-1, metavar="[FEATURE]...")
def repair(features: tuple[str, ...]) -> None:
    """Put right what is damaged in the feature store.

    Moves what `mediaml verify` finds to the store's folder `damaged`, deletes nothing, and computes it again. What
    nobody can make again (values of a withdrawn title, or of code that is gone) is named and written into the ledger
    as lost. Stopped in the middle, run it again.
    """
    from mediaml_assets.amber.upkeep.repair import repair as repair_store
    from mediaml_assets.mesh import mesh
    from mediaml_assets.progress import computing, verifying
    from mediaml_assets.runs import bring_up_to_date, steps

    prepare()
    store = installed_store()

    def settle() -> dict[str, str]:
        # one set of bars at a time
        bars.close()
        with computing(steps) as watch:
            return bring_up_to_date(watch).failed

    with ExitStack() as bars:
        done = repair_store(store, mesh(), settle, _known(store, features), bars.enter_context(verifying()))
    for finding in done.found:
        click.echo(f"was damaged: {finding}")
    for name, where in sorted(done.lost.items()):
        click.echo(f"lost: {name} ({where}); the ledger says so from now on")
    for title, why in sorted(done.failed.items()):
        click.echo(f"FAILED {title}: {why}", err=True)
    click.echo(f"{len(done.found)} damaged, {len(done.moved)} moved away, {len(done.lost)} lost")
    for finding in done.remaining:
        click.echo(f"DAMAGED {finding}", err=True)
    if done.remaining:
        raise click.ClickException("some damage is left; see to the failures above, then run `mediaml repair` again")


@click.command()
@click.argument("features", nargs=-1, metavar="[FEATURE]...")
def compact(features: tuple[str, ...]) -> None:
    """Fold small ledger rows into one file a feature.

    Of every feature, or of the FEATUREs. Nothing of the history changes but where its rows lie, and readers and
    writers need not wait. Stopped in the middle, run it again.
    """
    from mediaml_assets.amber.ledger.compact import compact as compact_feature
    from mediaml_assets.errors import Damaged
    from mediaml_assets.progress import by_feature

    prepare()
    store = installed_store()
    done, damaged = [], []
    with by_feature(steps=3) as watch:
        for feature in _known(store, features) or store.objects.folders("ledger"):
            try:
                done.append(compact_feature(store.objects, feature, watch))
            except Damaged as damage:
                damaged.append(f"{feature}: {damage}")
            watch(feature, "done")
    for one in done:
        if one.second:
            click.echo(f"{one.feature}: another compaction was first; nothing was done")
        for scope, why in sorted(one.left.items()):
            click.echo(f"left alone: {one.feature} of {scope}: {why}; run `mediaml verify {one.feature}`")
    folded, removed = sum(one.folded for one in done), sum(one.removed for one in done)
    click.echo(f"{len(done)} features: {folded:,} rows folded, {removed:,} objects removed")
    for what in damaged:
        click.echo(f"DAMAGED {what}", err=True)
    if damaged:
        raise click.ClickException(f"{len(damaged)} features were left as they are")


@click.command()
@click.option("--delete", is_flag=True, help="Remove it; otherwise it is only listed.")
@click.option("--damaged", is_flag=True, help="Also what `mediaml repair` moved to the store's folder `damaged`.")
def gc(delete: bool, damaged: bool) -> None:
    """List what nothing in the feature store refers to, or remove it.

    Killed writers leave values, files and claims behind, `mediaml forget` leaves files that nobody needs any more.
    What is younger than an hour is left alone. Others may work on the store meanwhile.
    """
    from mediaml_assets.amber.upkeep.gc import collect
    from mediaml_assets.progress import by_feature, print_garbage

    prepare()
    with by_feature(steps=1) as watch:
        done = collect(installed_store(), delete, damaged, watch=watch)
    for name in done.restored:
        click.echo(f"put back: {name}, which something refers to")
    for folder, why in sorted(done.kept.items()):
        click.echo(f"left alone: {folder}: nobody knows what of it is needed: {why}; run `mediaml repair`")
    print_garbage({kind: (heap.count, heap.bytes) for kind, heap in done.garbage.items()})
    count, size = (sum(getattr(heap, of) for heap in done.garbage.values()) for of in ("count", "bytes"))
    if delete:
        click.echo(f"{count:,} objects, {size / 1e6:,.1f} MB removed")
    elif count:
        again = f"mediaml gc --delete{' --damaged' if damaged else ''}"
        click.echo(f"{count:,} objects, {size / 1e6:,.1f} MB; `{again}` removes them")
    else:
        click.echo("nothing is left behind that is older than an hour")


@click.command()
@click.argument("title")
@click.option("--yes", is_flag=True, help="Do it; otherwise what would go is only listed.")
def forget(title: str, yes: bool) -> None:
    """Forget a withdrawn TITLE for good.

    Removes its values and files, except those that another title of the same content has too. The ledger keeps who
    made what and when, and says that it was forgotten. What shows and the catalogue said of it stays what they said.
    """
    from mediaml_assets.amber.upkeep.forget import forget as forget_title
    from mediaml_assets.amber.upkeep.forget import look
    from mediaml_assets.mesh import mesh

    prepare()
    store = installed_store()
    done = forget_title(store, mesh(), title) if yes else look(store, mesh(), title)
    gone = [*done.gone, *done.copies]
    for name in gone:
        click.echo(f"{'removed' if yes else 'would go'}: {name}")
    for name in done.shared:
        click.echo(f"stays: {name}, which something else refers to, or may")
    for folder, why in sorted(done.unknown.items()):
        click.echo(f"left alone: {folder}: nobody knows what of it others need: {why}")
    if yes and done.unknown:
        raise click.ClickException(
            f"{title} is not forgotten yet: {len(gone)} objects removed, others left alone because something is "
            f"damaged; run `mediaml repair`, then `mediaml forget {title} --yes` again"
        )
    if yes:
        click.echo(f"{title} is forgotten: {len(gone)} objects removed, {len(done.chains)} ledger rows written")
    else:
        click.echo(f"{len(gone)} objects; `mediaml forget {title} --yes` removes them, and nobody can undo that")


@click.command()
@click.argument("names", nargs=-1, metavar="[REPLICA]...")
@click.option("--verify", is_flag=True, help="Read every row back and compare its digest; some titles otherwise.")
@click.option("--repair", is_flag=True, help="Copy what is behind, and again what --verify finds damaged.")
def replicas(names: tuple[str, ...], verify: bool, repair: bool) -> None:
    """Compare replicas with the feature store.

    Says of all replicas of this installation, or of those named (<feature>__<kind>), how far they are behind, and
    whether their rows are those of the store. Ends with an error when they are not.
    """
    from mediaml_assets.amber.replicas.parity import parity
    from mediaml_assets.amber.replicas.replication import replicate
    from mediaml_assets.mesh import replicas as installed
    from mediaml_assets.progress import print_replicas

    prepare()
    store = installed_store()
    there = {one.name: one for one in installed()}
    for name in names:
        if name not in there:
            raise click.BadParameter(f"there is no replica {name!r}; there are {', '.join(there) or 'none'}")
    found = {}
    for name in names or there:
        sink, feature = there[name].open(), there[name].feature
        sample = None if verify or repair else 8
        found[name] = parity(store, feature, sink, sample)
        if repair:
            copied = replicate(store, feature, sink, again=list(found[name].damaged))
            click.echo(f"{name}: {copied.said}")
            found[name] = parity(store, feature, sink, sample)
    print_replicas(found)
    if any(one.miscounted or one.damaged for one in found.values()):
        raise click.ClickException("replicas differ from the store; `mediaml replicas --repair` copies them again")


def _known(store: "Store", features: tuple[str, ...]) -> tuple[str, ...]:
    """The features, once something is stored of each."""
    from mediaml_assets.amber.upkeep.verify import features_of

    known = features_of(store.objects)
    for feature in features:
        if feature not in known:
            raise click.BadParameter(f"nothing is stored of {feature!r}; there are {', '.join(known) or 'no features'}")
    return features


COMMANDS = (verify, repair, compact, gc, forget, replicas)
"""What `mediaml` offers of this module."""
