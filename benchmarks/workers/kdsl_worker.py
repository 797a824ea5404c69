"""A module that kdsl generated: imported from its file, trained with `fit`. It takes the pictures as bytes."""

import importlib.util
import sys

from protocol import Peer, serve


class Kdsl(Peer):
    packages = ("numba", "numpy")  # all that a generated module needs
    wants_bytes = True

    def __init__(self, workload, path, threads):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        self.make, self.workload, self.threads = getattr(module, workload.model_class), workload, threads

    def candidates(self):
        return {"default": self.prepare}

    def prepare(self):
        self.model = self.make(seed=0, threads=self.threads)

    def epoch(self):
        self.model.fit(self.x, self.y, epochs=1, batch_size=self.workload.batch, shuffle=True, verbose=0)

    def probabilities(self, x):
        return self.model.predict(x)

    def predictors(self):
        sample = self.x[:1].copy()
        return {"model.predict(x)": lambda: self.model.predict(sample)}


if __name__ == "__main__":
    serve(lambda workload, given: Kdsl(workload, given.module, given.threads))
