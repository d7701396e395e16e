"""The embedded engine: immutable Parquet in a folder or bucket, read by DuckDB and FAISS in any number of processes."""
