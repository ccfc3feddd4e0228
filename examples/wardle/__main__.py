"""`python -m examples.wardle --kubeconfig ...`: serves wardle.example.com behind a main server.

`--standalone-debug-mode` runs it alone, `registration --address IP` prints what makes an aggregator find it. Mirrors
`sample-apiserver/pkg/cmd/server/start.go`.
"""

from examples.wardle import v1alpha1, v1beta1
from examples.wardle.admission import BanFlunder
from trikube import aa

SERVER = (
    aa
    .APIServer("wardle")
    .with_resource(v1alpha1.Flunder)
    .with_resource(v1beta1.Flunder)
    .with_resource(v1alpha1.Fischer)
    .with_admission(BanFlunder)
    .with_local_debug_extension()
)

if __name__ == "__main__":
    SERVER.execute()
