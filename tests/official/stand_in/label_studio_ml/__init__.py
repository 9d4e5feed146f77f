"""What Dubito's plugin relies on of label-studio-ml 2, where that cannot be had.

`make test-official` runs the same tests over the real one.
"""
