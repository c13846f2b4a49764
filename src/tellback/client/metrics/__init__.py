"""Counts and measures: numbers in mapped pages that outlive their process, told of as records of kind `metric`.

naming, timing         what a host calls
instruments, slots     from a call to a number in its slot
book, current          the series of this process, and the reports
page, telling          the mapped file; from what it has grown by to lines
takeover               what a process that is gone had not told
"""
