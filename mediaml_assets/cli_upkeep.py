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
    from mediaml_assets.amber.verify import verify as verify_store
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
    from mediaml_assets.amber.repair import repair as repair_store
    from mediaml_assets.mesh import mesh
    from mediaml_assets.progress import computing, verifying
    from mediaml_assets.runs import bring_up_to_date, steps

    prepare()
    store = installed_store()

    def settle() -> dict[str, str]:
        # one set of bars at a time
        bars.close()
        with computing(steps()) as watch:
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


def _known(store: "Store", features: tuple[str, ...]) -> tuple[str, ...]:
    """The features, once something is stored of each."""
    from mediaml_assets.amber.verify import features_of

    known = features_of(store.objects)
    for feature in features:
        if feature not in known:
            raise click.BadParameter(f"nothing is stored of {feature!r}; there are {', '.join(known) or 'no features'}")
    return features


COMMANDS = (verify, repair)
"""What `mediaml` offers of this module."""
