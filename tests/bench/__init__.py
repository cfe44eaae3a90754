"""The figures: what the program costs and how fast it answers, measured on this machine, beside what was aimed at.

``python -m tests.bench`` measures all of them, ``python -m tests.bench NAME...`` some. They are information: a missed
target is not a failure. Processor time and bytes are the robust ones; wall times want an idle machine.
"""
