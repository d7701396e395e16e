"""Whether a title is fit for use: what is measured while it is standardised, and the verdict."""
