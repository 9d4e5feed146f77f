"""The endings of files that can be cut, by what reads them."""

TEXTS = (".csv", ".tsv", ".txt")
PARQUETS = (".parquet", ".pq")
ARRAYS = (".npy", ".npz")
SOUNDS = (".wav", ".flac", ".ogg")
