"""What PyTorch's functions do to nodes, by name, and why some have no fixed links."""

from __future__ import annotations

# Functions that act on each node by itself; a sum after them is a sum of what they give.
ELEMENTWISE = frozenset((
    "abs", "celu", "clamp", "cos", "elu", "erf", "exp", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "logsigmoid", "mish", "pow", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "sin",
    "softplus", "softshrink", "softsign", "square", "tanh", "tanhshrink", "threshold",
))  # fmt: skip
# Functions that leave the nodes as they are, perhaps in another shape.
PASSING = frozenset((
    "alpha_dropout", "bfloat16", "clone", "contiguous", "detach", "double", "dropout", "dropout1d", "dropout2d",
    "dropout3d", "feature_alpha_dropout", "feature_dropout", "flatten", "float", "half", "requires_grad", "reshape",
    "reshape_as", "squeeze", "to", "type", "unflatten", "unsqueeze", "view", "view_as",
))  # fmt: skip
SUMS = frozenset(("add", "__add__", "__radd__", "__iadd__"))
# With a number or a parameter they shift or scale each node by itself.
SCALES = SUMS | {
    "sub", "__sub__", "__rsub__", "__isub__", "mul", "multiply", "__mul__", "__rmul__", "__imul__", "div",
    "__truediv__",
}  # fmt: skip
# Functions that ask a tensor for its value.
ASKS = frozenset(("__bool__", "__float__", "__int__", "__index__", "__array__", "item", "numpy", "tolist"))

_BY_STATISTICS = "it scales by the statistics of each input"
_BY_DATA = "the data are the weights of attention"
_PRODUCT = "it multiplies two node layers, so that the data are the weights"
_ORDER = "nodes are picked or put in another order, which is not followed"
_OVER_TIME = "it runs over time, which is not unfolded"
_SHARES = "each output depends on all inputs, and not linearly"
_WHY = {
    "max_pool": "which of its links carries, depends on the data",
    "adaptive_max_pool": "which of its links carries, depends on the data",
    "cat": "nodes are put beside one another, which is not followed",
    **dict.fromkeys(("softmax", "log_softmax"), _SHARES),
    **dict.fromkeys(("layer_norm", "group_norm", "instance_norm", "rms_norm"), _BY_STATISTICS),
    **dict.fromkeys(("scaled_dot_product_attention", "multi_head_attention_forward"), _BY_DATA),
    **dict.fromkeys(("matmul", "__matmul__", "bmm", "mul", "__mul__", "einsum"), _PRODUCT),
    **dict.fromkeys(
        ("transpose", "permute", "movedim", "__getitem__", "chunk", "split", "flip", "roll", "pixel_shuffle"), _ORDER
    ),
    **dict.fromkeys(("lstm", "gru", "rnn"), _OVER_TIME),
}
_UNKNOWN = "it is not followed: it is no fixed sum of its inputs, or none that is known here"


def why_open(function: str) -> str:
    """Why a function has no fixed links.

    Example
    -------
    >>> why_open("max_pool2d")
    'which of its links carries, depends on the data'
    """
    return next((why for name, why in _WHY.items() if function.startswith(name)), _UNKNOWN)
