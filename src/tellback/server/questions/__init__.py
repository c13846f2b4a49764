"""Questions: parameters in, rows out.

One file per question, found by being here (`catalogue.py`). `contract.py` says what a question is, `filters.py` has
the parameters they share, `asking.py` turns a request into one SQL text with bound parameters and its rows into an
answer.
"""
