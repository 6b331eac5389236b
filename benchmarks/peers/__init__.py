"""The contenders: one file a library, one function a question, the environments of the others beside them.

A function gets the folder of its inputs and returns the work to be timed, and how its result is described in plain
values. Reading the inputs into what the library likes best is not timed.
"""
