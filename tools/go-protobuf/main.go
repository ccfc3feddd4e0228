// Command go-protobuf speaks protobuf, and nothing but protobuf, with an API server: `try.sh` says how to run it.
//
// Every answer must be one: objects, lists, watches, refusals, discovery, and the OpenAPI documents.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	protobuf  = "application/vnd.kubernetes.protobuf"
	openAPI   = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
	namespace = "in-protobuf"
)

// counting looks at the content type of every answer.
type counting struct {
	inner http.RoundTripper
	seen  map[string]int
}

func (c counting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.inner.RoundTrip(request)
	if err == nil {
		c.seen[response.Header.Get("Content-Type")]++
	}
	return response, err
}

// The kubeconfig of a control plane is the one argument.
func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	seen := map[string]int{}
	config.AcceptContentTypes, config.ContentType = protobuf, protobuf
	config.WrapTransport = func(inner http.RoundTripper) http.RoundTripper { return counting{inner, seen} }
	clients, err := kubernetes.NewForConfig(config)
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	named := meta.ObjectMeta{Name: namespace}
	_, err = clients.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: named}, meta.CreateOptions{})
	must(err)
	objects(ctx, clients)
	watches(ctx, clients)
	refusals(ctx, clients)
	metadata(ctx, clients)
	must(clients.CoreV1().Namespaces().Delete(ctx, namespace, meta.DeleteOptions{}))
	for contentType, times := range seen {
		check(fmt.Sprintf("%d answers in %s", times, contentType), strings.HasPrefix(contentType, protobuf))
	}
	documents(config)
}

func watches(ctx context.Context, clients *kubernetes.Clientset) {
	maps := clients.CoreV1().ConfigMaps(namespace)
	stream, err := maps.Watch(ctx, meta.ListOptions{
		FieldSelector:        "metadata.name=one",
		AllowWatchBookmarks:  true,
		SendInitialEvents:    new(true),
		ResourceVersionMatch: meta.ResourceVersionMatchNotOlderThan,
	})
	must(err)
	next := func(wanted watch.EventType) *core.ConfigMap {
		event := <-stream.ResultChan()
		check("watch, "+string(wanted), event.Type == wanted)
		return event.Object.(*core.ConfigMap)
	}
	check("watch, initial event", next(watch.Added).Data["k"] == "w")
	check("watch, their end", next(watch.Bookmark).Annotations["k8s.io/initial-events-end"] == "true")
	must(maps.Delete(ctx, "one", meta.DeleteOptions{}))
	check("watch, deletion", next(watch.Deleted).Name == "one")
	stream.Stop()
}

func refusals(ctx context.Context, clients *kubernetes.Clientset) {
	_, err := clients.CoreV1().ConfigMaps(namespace).Get(ctx, "one", meta.GetOptions{})
	check("404", errors.IsNotFound(err) && err.Error() == `configmaps "one" not found`)
	unnamed := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "-"}, Spec: podSpec()}
	_, err = clients.CoreV1().Pods(namespace).Create(ctx, unnamed, meta.CreateOptions{})
	check("422", errors.IsInvalid(err) && len(err.(*errors.StatusError).ErrStatus.Details.Causes) == 1)
}

func metadata(ctx context.Context, clients *kubernetes.Clientset) {
	for _, version := range []string{"v1", "v1beta1"} {
		raw, err := clients.CoreV1().RESTClient().Get().AbsPath("/api/v1/configmaps").
			SetHeader("Accept", protobuf+";as=PartialObjectMetadataList;g=meta.k8s.io;v="+version).DoRaw(ctx)
		must(err)
		var unknown runtime.Unknown
		must(unknown.Unmarshal(raw[4:]))
		check("metadata, "+unknown.APIVersion, items(version, unknown.Raw) > 0)
	}
}

func items(version string, raw []byte) int {
	if version == "v1" {
		var list meta.PartialObjectMetadataList
		must(list.Unmarshal(raw))
		return len(list.Items)
	}
	var list metav1beta1.PartialObjectMetadataList
	must(list.Unmarshal(raw))
	return len(list.Items)
}

func documents(config *rest.Config) {
	client := discovery.NewDiscoveryClientForConfigOrDie(config)
	resources, err := client.ServerResourcesForGroupVersion("apps/v1")
	must(err)
	check("discovery", len(resources.APIResources) > 5 && resources.APIResources[0].Verbs != nil)
	document, err := client.OpenAPISchema()
	must(err)
	found := map[string]bool{}
	for _, definition := range document.Definitions.AdditionalProperties {
		found[definition.Name] = true
	}
	check(fmt.Sprintf("OpenAPI v2, %d definitions", len(found)), found["io.k8s.api.core.v1.Pod"])
	paths, err := client.OpenAPIV3().Paths()
	must(err)
	text, err := paths["apis/apps/v1"].Schema(openAPI)
	must(err)
	check(fmt.Sprintf("OpenAPI v3, %d bytes", len(text)), len(text) > 100_000)
}

func check(what string, good bool) {
	fmt.Printf("%-70s %v\n", what, good)
	if !good {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
