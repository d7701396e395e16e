"""mediaml: an open media machine-learning platform on Dagster."""
