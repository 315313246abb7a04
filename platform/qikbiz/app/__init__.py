"""The composition root: one application made of all features, and the pipeline that every request passes.

`application.py` installs the features; `request_pipeline.py` finds tenant, user and permission before a view runs;
`error_handlers.py` turns errors into pages. May import everything. Only servers, workers and commands import it.
"""
