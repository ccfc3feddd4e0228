// Uses trikube as operators do: through client-go and controller-runtime, typed clients speaking protobuf.
//
// Run by try.sh beside it, which says where the program is that starts a control plane. Each check prints its name
// and how long it took; the first failure ends the run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Bench is what every check gets.
type Bench struct {
	Plane *Plane
	// JSON and Protobuf differ in what they ask for and send.
	JSON, Protobuf *rest.Config
	Client         *kubernetes.Clientset
	Namespace      string
}

type check struct {
	name string
	run  func(context.Context, *Bench) error
}

var checks = []check{
	{"typed clients: every verb on 19 kinds, in protobuf", manyKinds},
	{"apply configurations: apply, conflict, force, extract, status, scale", applyConfigurations},
	{"dynamic and metadata clients", dynamicAndMetadata},
	{"discovery, OpenAPI, REST mapping and the scale client", discoveryAndScale},
	{"lists in pages", pages},
	{"event recorders of both groups", eventRecorders},
	{"leader election: the second takes over", leaderElection},
	{"an operator of controller-runtime: CRD, owners, finalizers, status", operator},
	{"retry watcher across a kill -9", retryWatcher},
	{"shared informers across churn and two kill -9 end with the server's state", sharedInformers},
}

func main() {
	trikube := flag.String("trikube", "", "the trikube program")
	data := flag.String("data", "", "an empty folder")
	only := flag.String("only", "", "run the checks whose names begin so")
	flag.Parse()
	if err := runAll(*trikube, *data, *only); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
	fmt.Println("OK")
}

func runAll(trikube, data, only string) error {
	plane := &Plane{Program: trikube, Data: data}
	if err := plane.Start(); err != nil {
		return err
	}
	defer plane.Kill()
	config, err := clientcmd.BuildConfigFromFlags("", plane.Kubeconfig())
	if err != nil {
		return err
	}
	config.QPS, config.Burst = -1, -1
	protobuf := rest.CopyConfig(config)
	protobuf.ContentType = "application/vnd.kubernetes.protobuf"
	protobuf.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(protobuf)
	if err != nil {
		return err
	}
	bench := &Bench{Plane: plane, JSON: config, Protobuf: protobuf, Client: client, Namespace: "default"}
	for _, one := range checks {
		if !strings.HasPrefix(one.name, only) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		began := time.Now()
		err := one.run(ctx, bench)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Printf("%-76s %6d ms\n", one.name, time.Since(began).Milliseconds())
	}
	return nil
}
