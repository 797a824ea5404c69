"""The intermediate representation: types, nodes, graphs, how they are built, verified, printed and interpreted."""

from kdsl.graph.graph import Attribute, Graph, Node
from kdsl.graph.types import TensorType

__all__ = ["Attribute", "Graph", "Node", "TensorType"]
