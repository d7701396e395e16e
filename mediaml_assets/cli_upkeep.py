"""The commands of `mediaml` that keep the feature store whole and tidy."""

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


def _known(store: "Store", features: tuple[str, ...]) -> tuple[str, ...]:
    """The features, once something is stored of each."""
    from mediaml_assets.amber.verify import features_of

    known = features_of(store.objects)
    for feature in features:
        if feature not in known:
            raise click.BadParameter(f"nothing is stored of {feature!r}; there are {', '.join(known) or 'no features'}")
    return features


COMMANDS = (verify,)
"""What `mediaml` offers of this module."""
