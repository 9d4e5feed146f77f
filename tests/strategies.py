"""Whatever may stand in JSON."""

from hypothesis import strategies as st

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1", "1.5"])
)


json_values = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "x", "task"]), inner, max_size=3)
    ),
    max_leaves=8,
)


json_data = st.dictionaries(
    st.sampled_from(["text", "csv", "x", "y", "image"]), json_values, max_size=4
)
