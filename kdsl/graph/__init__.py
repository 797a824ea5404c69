"""The intermediate representation: types, nodes, graphs, how they are built, verified, printed and interpreted."""

from kdsl.graph.graph import Attribute, Graph, Node
from kdsl.graph.printer import print_graph
from kdsl.graph.types import TensorType
from kdsl.graph.verify import VerifyError, verify

__all__ = ["Attribute", "Graph", "Node", "TensorType", "VerifyError", "print_graph", "verify"]
