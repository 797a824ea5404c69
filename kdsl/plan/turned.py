"""Transposes that need not be computed: of matrices that only products read, and of sums of products over the batch."""

from __future__ import annotations

from dataclasses import replace

from kdsl.graph.graph import Graph, Node

PRODUCTS = frozenset({"matmul", "matmul_data_gradient"})


def is_turn(node: Node) -> bool:
    """Whether a node exchanges the axes of a matrix without rows."""
    return node.op == "transpose" and not node.type.batched and node.attribute("axes") == (1, 0)


def read_by_products(graph: Graph) -> frozenset[str]:
    """Values that nothing reads but products, as the matrix, and transposes that only products read: they need be nowhere but
    in panels."""
    found = {node.name for node in graph if node.type.rank == 2 and not node.type.batched}
    found.difference_update(graph.results)
    for node in reversed(graph.nodes):
        if is_turn(node) and node.name in found:
            continue
        for part in node.body or (node,):
            found.difference_update(part.inputs[:1] if part.op in PRODUCTS else part.inputs)
    return frozenset(found)


def without_turned_sums(graph: Graph) -> Graph:
    """transpose(transpose(x) @ g) becomes transpose(g) @ x, where nothing else reads what is transposed."""
    users = graph.users()
    names = {node.name: node for node in graph}
    nodes = []
    for node in graph:
        product = names[node.inputs[0]] if is_turn(node) else node
        if product.op == "matmul_kernel_gradient" and product is not node and len(users[product.name]) == 1:
            x, g = product.inputs
            node = replace(product, name=node.name, inputs=(g, x), type=node.type)
        nodes.append(node)
    made = graph.with_results({}, tuple(nodes))
    kept = {name for node in made for name in node.inputs} | set(made.results)
    return made.with_results(
        {}, tuple(node for node in made if node.name in kept or node.op != "matmul_kernel_gradient")
    )
