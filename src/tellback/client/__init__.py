"""Runs in the host program: takes records, keeps them in the spool and ships them.

events, logs, errors, metrics   what a host calls; bound, context: what is added to each record
spans, runs, ids       work that has a duration; propagation, carry: context between threads and processes
hooks, console         what nobody caught; lines for people
exceptions, frames, source, crumbs   what an error says
encode, clean, mask    from anything at all to one line
spool, segment, fork   where a line is safe; folder, prefault, lost
keeper, budget, switch the thread that keeps the spool in order
sender, shipper, delivery, slices, transport   the thread that ships
lifecycle, settings, live, background, chores   init to close
usage                  which functions are ever called, and where time goes; imported when it is asked for
"""
