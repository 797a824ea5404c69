"""scikit-learn's MLPClassifier: one `partial_fit` over all rows is one epoch of shuffled batches."""

from protocol import CLASSES, Peer, serve


class Sklearn(Peer):
    packages = ("scikit-learn",)

    def __init__(self, workload, threads):
        import sklearn.neural_network

        self.make, self.workload = sklearn.neural_network.MLPClassifier, workload
        if workload.hidden is None:
            raise SystemExit("scikit-learn has multilayer perceptrons only")
        self.note = "without dropout, which it does not have" if workload.dropout else ""

    def candidates(self):
        return {"default": self.prepare}

    def prepare(self):
        self.model = self.make(
            self.workload.hidden, alpha=0.0, batch_size=self.workload.batch, learning_rate_init=1e-3, epsilon=1e-7
        )

    def epoch(self):
        self.model.partial_fit(self.x, self.y, classes=range(CLASSES))

    def probabilities(self, x):
        return self.model.predict_proba(x)

    def predictors(self):
        sample = self.x[:1].copy()
        return {"model.predict_proba(x)": lambda: self.model.predict_proba(sample)}


if __name__ == "__main__":
    serve(lambda workload, given: Sklearn(workload, given.threads))
