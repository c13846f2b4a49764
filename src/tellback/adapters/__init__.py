"""Tellback in the libraries that a program uses already: one file each, and none is imported unless it is asked for.

An adapter of the web binds `trace`, `span` and `user` for the time of a request, records it as a span when it is
served, records what went wrong, and shows its id on the page that says so. docs/decisions/0082.
"""
