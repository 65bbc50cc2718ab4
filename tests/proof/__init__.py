"""The proof: long random lives of one calendar, with faults and crashes, after which nothing is lost, doubled or mailed.

``rules`` says what may happen, ``sides`` where, ``wire`` and ``boundaries`` what may go wrong, ``invariants`` what must hold
whenever everything has come to rest. ``driver`` plays long lives by a seed, ``test_machine`` short ones, by Hypothesis too.
"""
