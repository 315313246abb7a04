"""The audit as administrators read it: its pages, the lists and searches on screen, and how long it is kept."""
