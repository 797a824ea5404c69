"""PyTorch, eager: the training loop its tutorials write, over tensors that are already in memory."""

from protocol import CLASSES, Peer, serve


class Torch(Peer):
    packages = ("torch",)

    def __init__(self, workload, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.workload = torch, workload

    def candidates(self):
        return {
            "Adam": lambda: self.prepare(),
            "Adam(fused=True)": lambda: self.prepare(fused=True),
            "Adam(foreach=True)": lambda: self.prepare(foreach=True),
        }

    def prepare(self, **options):
        nn, layers, width = self.torch.nn, [], self.x.shape[1]
        for units in self.workload.hidden:
            layers += [nn.Linear(width, units), nn.ReLU()]
            if self.workload.dropout:
                layers.append(nn.Dropout(self.workload.dropout))
            width = units
        self.model = nn.Sequential(*layers, nn.Linear(width, CLASSES))
        self.optimizer = self.torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, **options)

    def load(self, x, y):
        self.x, self.y = self.torch.from_numpy(x), self.torch.from_numpy(y).long()
        self.sample = x[:1].copy()

    def epoch(self):
        torch, batch = self.torch, self.workload.batch
        self.model.train()
        order = torch.randperm(len(self.x))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            self.optimizer.zero_grad(set_to_none=True)
            logits = self.model(torch.index_select(self.x, 0, rows))
            torch.nn.functional.cross_entropy(logits, torch.index_select(self.y, 0, rows)).backward()
            self.optimizer.step()

    def probabilities(self, x):
        self.model.eval()
        with self.torch.inference_mode():
            return self.torch.softmax(self.model(self.torch.from_numpy(x)), -1).numpy()

    def predictors(self):
        return {"model(x) in inference mode": lambda: self.probabilities(self.sample)}


if __name__ == "__main__":
    serve(lambda workload, given: Torch(workload, given.threads))
