"""Runs in the host program: takes records, keeps them in the spool and ships them.

events, logs, errors   what a host calls; bound, context: what is added to each record
spans, runs, ids       work that has a duration; propagation, carry: context between threads and processes
encode, clean          from anything at all to one line
spool, segment, fork   where a line is safe; folder, prefault, lost
keeper, budget, switch the thread that keeps the spool in order
sender, shipper, delivery, slices, transport   the thread that ships
lifecycle, settings, live, background           init to close
"""
