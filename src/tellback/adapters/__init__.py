"""Tellback in the libraries that a program uses already: one file each, and none is imported unless it is asked for."""
