"""Media access: probing, standardising and frame-exact reading of films. Knows no Dagster and no store."""
