"""Runs in the host program: takes records, keeps them in the spool and ships them."""
