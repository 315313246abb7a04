"""The web server: bodies are read whole, with a deadline, before a thread of the application is taken.

`python -m config.web_server`, as the Procfile and the unit start it. docs/decisions/0006-web-server.md says why.
"""
