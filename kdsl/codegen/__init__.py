"""Graph and plan to text; the only reader of templates/."""
