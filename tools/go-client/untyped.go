package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"

	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func dynamicAndMetadata(ctx context.Context, b *Bench) error {
	client, err := dynamic.NewForConfig(b.JSON)
	if err != nil {
		return err
	}
	resource := client.Resource(configMaps).Namespace(b.Namespace)
	obj := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"generateName": "dynamic-"},
		"data": map[string]any{"a": "b"}}}
	made, err := resource.Create(ctx, obj, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	applied := made.DeepCopy()
	applied.SetManagedFields(nil)
	applied.SetResourceVersion("")
	applied.SetUID("")
	applied.SetLabels(map[string]string{"dynamic": "yes"})
	if _, err := resource.Apply(ctx, made.GetName(), applied, metav1.ApplyOptions{FieldManager: "d", Force: true}); err != nil {
		return err
	}
	meta, err := metadata.NewForConfig(b.Protobuf)
	if err != nil {
		return err
	}
	list, err := meta.Resource(configMaps).Namespace(b.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "dynamic=yes"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != made.GetName() {
		return fmt.Errorf("metadata list %+v: %v", list, err)
	}
	watch, err := meta.Resource(configMaps).Namespace(b.Namespace).Watch(ctx, metav1.ListOptions{
		ResourceVersion: list.ResourceVersion, FieldSelector: "metadata.name=" + made.GetName()})
	if err != nil {
		return err
	}
	defer watch.Stop()
	if _, err := meta.Resource(configMaps).Namespace(b.Namespace).Patch(ctx, made.GetName(), types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"x":"y"}}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	event := <-watch.ResultChan()
	if found, ok := event.Object.(*metav1.PartialObjectMetadata); !ok || found.Annotations["x"] != "y" {
		return fmt.Errorf("metadata watch: %+v", event)
	}
	return resource.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "dynamic=yes"})
}

func discoveryAndScale(ctx context.Context, b *Bench) error {
	client, err := discovery.NewDiscoveryClientForConfig(b.JSON)
	if err != nil {
		return err
	}
	if _, _, err := client.ServerGroupsAndResources(); err != nil {
		return err
	}
	if _, err := client.ServerPreferredNamespacedResources(); err != nil {
		return err
	}
	if _, err := client.OpenAPISchema(); err != nil {
		return fmt.Errorf("OpenAPI v2 in protobuf: %w", err)
	}
	paths, err := client.OpenAPIV3().Paths()
	if err != nil || len(paths) < 20 {
		return fmt.Errorf("OpenAPI v3 names %d documents: %v", len(paths), err)
	}
	cached := memory.NewMemCacheClient(client)
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	gvr, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: "deploy"})
	if err != nil || gvr.Group != "apps" || gvr.Version != "v1" || gvr.Resource != "deployments" {
		return fmt.Errorf("deploy is %v: %v", gvr, err)
	}
	scales, err := scale.NewForConfig(b.JSON, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(client))
	if err != nil {
		return err
	}
	core := b.Client.CoreV1().ReplicationControllers(b.Namespace)
	replicas := int32(3)
	if _, err := core.Create(ctx, &corev1.ReplicationController{ObjectMeta: metav1.ObjectMeta{Name: "scaled"},
		Spec: corev1.ReplicationControllerSpec{Replicas: &replicas, Selector: map[string]string{"a": "b"},
			Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	found, err := scales.Scales(b.Namespace).Get(ctx, schema.GroupResource{Resource: "replicationcontrollers"}, "scaled", metav1.GetOptions{})
	if err != nil || found.Spec.Replicas != 3 {
		return fmt.Errorf("scale %+v: %v", found, err)
	}
	return core.Delete(ctx, "scaled", metav1.DeleteOptions{})
}

func pages(ctx context.Context, b *Bench) error {
	client := b.Client.CoreV1().ConfigMaps(b.Namespace)
	for i := range 25 {
		if _, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("page-%02d", i), Labels: map[string]string{"paged": "yes"}}}, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	count, calls := 0, 0
	all := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		calls++
		return client.List(ctx, options)
	})
	all.PageSize = 10
	err := all.EachListItem(ctx, metav1.ListOptions{LabelSelector: "paged=yes"}, func(runtime.Object) error {
		count++
		return nil
	})
	if err != nil || count != 25 || calls != 3 {
		return fmt.Errorf("%d objects in %d calls: %v", count, calls, err)
	}
	return client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "paged=yes"})
}

func eventRecorders(ctx context.Context, b *Bench) error {
	about, err := b.Client.CoreV1().ConfigMaps(b.Namespace).Create(ctx,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "eventful"}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	old := record.NewBroadcaster(record.WithContext(ctx))
	old.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: b.Client.CoreV1().Events(b.Namespace)})
	defer old.Shutdown()
	recorder := old.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "go-client"})
	for range 3 {
		recorder.Event(about, corev1.EventTypeNormal, "Old", "said more than once")
	}
	modern := events.NewBroadcaster(&events.EventSinkImpl{Interface: b.Client.EventsV1()})
	if err := modern.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	defer modern.Shutdown()
	modern.NewRecorder(scheme.Scheme, "go-client").Eventf(about, nil, corev1.EventTypeWarning, "New", "Acting", "said once")
	return until(ctx, "both events, the old one counted", func() (bool, error) {
		list, err := b.Client.CoreV1().Events(b.Namespace).List(ctx, metav1.ListOptions{
			FieldSelector: "involvedObject.name=eventful,involvedObject.kind=ConfigMap"})
		if err != nil {
			return false, err
		}
		seen := map[string]int32{}
		for _, event := range list.Items {
			seen[event.Reason] = max(event.Count, seen[event.Reason])
		}
		_, there := seen["New"]
		return there && seen["Old"] == 3, nil
	})
}

func until(ctx context.Context, what string, done func() (bool, error)) error {
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("never: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
