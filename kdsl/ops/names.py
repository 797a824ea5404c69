"""Which file of this folder defines which layers and ops: a model imports those it uses.

The order is that of the documentation, and of names that are equally near to a misspelt one. A name that is missing here
is an error when its file is imported.
"""

from __future__ import annotations

LAYERS = {
    "dropout": "dropout",
    "reductions": "broadcast_to",
    "normalization": "layer_norm rms_norm unit_norm",
    "preprocessing": "rescale normalize",
    "adapting": "standardize",
    "adaptive_pooling": "adaptive_avg_pool adaptive_max_pool",
    "augmentation_layers": (
        "random_flip random_translation random_rotation random_zoom random_contrast random_brightness"
    ),
    "axes": "expand_dims squeeze tile repeat_vector identity",
    "batch_norm": "batch_norm",
    "comparisons": "where",
    "conv_layers": "conv depthwise_conv separable_conv conv_transpose",
    "dense": "dense",
    "einsum": "einsum matmul",
    "movement": "transpose permute flip pad",
    "gathering": "gather one_hot",
    "embedding": "embed positions",
    "frames": "zero_pad crop center_crop",
    "functions": "exp expm1 log log1p sin cos erf stop_gradient",
    "global_pooling": "global_avg_pool global_max_pool",
    "group_norm": "group_norm",
    "joining": "concat stack split",
    "merging": "add subtract multiply average dot",
    "noise": "spatial_dropout gaussian_noise gaussian_dropout alpha_dropout",
    "piecewise_activations": "linear relu relu6 leaky_relu elu selu hard_sigmoid hard_silu",
    "pooling": "max_pool avg_pool",
    "powers": "power square sqrt rsqrt",
    "prelu": "prelu",
    "random": "normal normal_like uniform uniform_like",
    "ranges": "arange",
    "reduction_functions": "sum mean max min var std norm logsumexp any all argmax argmin",
    "resizing": "upsample resize",
    "shape": "flatten reshape",
    "smooth_activations": "gelu silu softplus softsign tanh sigmoid mish exponential",
    "softmax": "softmax log_softmax",
    "steps": "abs sign floor ceil round maximum minimum clip",
}

OPS = {
    "cast": "cast",
    "dropout": "dropout",
    "arithmetic": "add subtract multiply divide negative square absolute sign sum_to",
    "reductions": "reduce_sum reduce_mean reduce_max reduce_min broadcast_to argmax argmin",
    "augmentation": "random_flip random_crop random_cutout random_affine random_brightness random_contrast",
    "batch_statistics": "inverse_count spread_like batch_mean batch_variance",
    "batch_norm": "batch_norm",
    "comparisons": "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not where",
    "convolution": "conv conv_data_gradient conv_kernel_gradient",
    "cross_entropy": (
        "softmax_cross_entropy softmax_cross_entropy_gradient sparse_softmax_cross_entropy "
        "sparse_softmax_cross_entropy_gradient"
    ),
    "dense": "matmul matmul_data_gradient matmul_kernel_gradient add_bias bias_gradient",
    "depthwise": "depthwise_conv depthwise_conv_data_gradient depthwise_conv_kernel_gradient",
    "einsum": "einsum",
    "movement": "transpose reverse slice unslice pad",
    "gathering": "gather gather_gradient one_hot",
    "functions": "expm1 log log1p sin cos erf stop_gradient",
    "joining": "concat",
    "log_likelihood": (
        "negative_log_likelihood negative_log_likelihood_gradient negative_log_likelihood_target_gradient "
        "sparse_negative_log_likelihood sparse_negative_log_likelihood_gradient"
    ),
    "losses": "mean mean_gradient binary_cross_entropy binary_cross_entropy_gradient huber huber_gradient",
    "metrics": "sparse_accuracy categorical_accuracy binary_accuracy sparse_top_k categorical_top_k",
    "mixing": "random_share mix_rows",
    "noise": "while_training",
    "piecewise_activations": (
        "linear relu relu_gradient relu6 relu6_gradient leaky_relu leaky_relu_gradient elu elu_gradient selu "
        "selu_gradient hard_sigmoid hard_sigmoid_gradient hard_silu hard_silu_gradient"
    ),
    "pooling": "max_pool max_pool_gradient avg_pool avg_pool_gradient",
    "powers": "power power_gradient power_exponent_gradient sqrt rsqrt",
    "random": "full random_uniform random_normal",
    "shape": "reshape",
    "smooth_activations": (
        "gelu gelu_gradient gelu_tanh gelu_tanh_gradient silu silu_gradient softplus softplus_gradient softsign "
        "softsign_gradient tanh tanh_gradient sigmoid sigmoid_gradient mish mish_gradient exponential "
        "exponential_gradient"
    ),
    "softmax": "softmax softmax_gradient log_softmax log_softmax_gradient",
    "steps": "floor ceil round maximum maximum_gradient minimum minimum_gradient clip clip_gradient",
}
