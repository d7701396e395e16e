"""Stores side by side under many small versioned commits: one title's shots at a time.

shots.py          the rows of a title's version, from the seed
worker.py         a process that holds one store open and answers commands, and what it measures itself
run_<store>.py    such a process for each store: amber, bare Parquet files, deltalake, lancedb
processes.py      starts and asks these processes
"""
