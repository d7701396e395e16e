"""One chain of three features, as a user of each system would write it; the recompute benchmark runs and edits it.

    helpers.py              what all of them share: the constant, the helper that reads it, the count of calls
    <system>_features.py    the three features, in the system's own way
    run_<system>.py         one run of the user's routine: bring everything up to date, print calls and served values

The benchmark copies helpers and features into a package `chain` of a workspace, where it edits them as text, and runs
the routine in a new process there:

    landing/                the films
    code/chain/             helpers.py, features.py
    state/                  whatever the system keeps
    calls                   one line for each call of a feature
"""
