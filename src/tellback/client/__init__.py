"""Runs in the host program: takes records, keeps them in the spool and ships them.

events, logs, errors, metrics   what a host calls; bound, context: what is added to each record
encode, clean          from anything at all to one line
spool, segment, fork   where a line is safe; folder, prefault, lost
keeper, budget, switch the thread that keeps the spool in order
sender, shipper, delivery, slices, transport   the thread that ships
lifecycle, settings, live, background           init to close
"""
