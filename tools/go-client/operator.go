package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const widgetDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.go.example.com}
spec:
  group: go.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, default: {}, properties: {size: {type: integer, minimum: 1, default: 3}}}
          status: {type: object, properties: {made: {type: string}}}
`

const finalizer = "go.example.com/finalizer"

func newWidget() *unstructured.Unstructured {
	widget := &unstructured.Unstructured{}
	widget.SetGroupVersionKind(schema.GroupVersionKind{Group: "go.example.com", Version: "v1", Kind: "Widget"})
	return widget
}

type reconciler struct{ client.Client }

// Reconcile gives every Widget a ConfigMap that it owns, and reports its name.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	widget := newWidget()
	if err := r.Get(ctx, request.NamespacedName, widget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !widget.GetDeletionTimestamp().IsZero() {
		controllerutil.RemoveFinalizer(widget, finalizer)
		return ctrl.Result{}, r.Update(ctx, widget)
	}
	if controllerutil.AddFinalizer(widget, finalizer) {
		return ctrl.Result{}, r.Update(ctx, widget)
	}
	made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: widget.GetName() + "-made", Namespace: widget.GetNamespace()}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, made, func() error {
		size, _, _ := unstructured.NestedInt64(widget.Object, "spec", "size")
		made.Data = map[string]string{"size": fmt.Sprint(size)}
		return controllerutil.SetControllerReference(widget, made, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if found, _, _ := unstructured.NestedString(widget.Object, "status", "made"); found == made.Name {
		return ctrl.Result{}, nil
	}
	before := widget.DeepCopy()
	if err := unstructured.SetNestedField(widget.Object, made.Name, "status", "made"); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.Status().Patch(ctx, widget, client.MergeFrom(before))
}

func operator(ctx context.Context, b *Bench) error {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr), zap.Level(zapcore.ErrorLevel)))
	file := filepath.Join(b.Plane.Data, "widgets.yaml")
	if err := os.WriteFile(file, []byte(widgetDefinition), 0o600); err != nil {
		return err
	}
	// envtest's own way of installing definitions: it waits until they are in discovery.
	if _, err := envtest.InstallCRDs(b.JSON, envtest.CRDInstallOptions{Paths: []string{file}}); err != nil {
		return err
	}
	manager, err := ctrl.NewManager(b.JSON, ctrl.Options{Scheme: scheme.Scheme, Metrics: server.Options{BindAddress: "0"},
		LeaderElection: true, LeaderElectionID: "widgets", LeaderElectionNamespace: b.Namespace})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(manager).For(newWidget()).Owns(&corev1.ConfigMap{}).Complete(&reconciler{manager.GetClient()})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(running) }()
	defer func() { stop(); <-ended }()
	direct, err := client.New(b.JSON, client.Options{})
	if err != nil {
		return err
	}
	widget := newWidget()
	widget.SetName("w")
	widget.SetNamespace(b.Namespace)
	if err := direct.Create(ctx, widget); err != nil {
		return err
	}
	key := client.ObjectKeyFromObject(widget)
	made := client.ObjectKey{Namespace: b.Namespace, Name: "w-made"}
	err = until(ctx, "the widget's status", func() (bool, error) {
		if err := direct.Get(ctx, key, widget); err != nil {
			return false, err
		}
		found, _, _ := unstructured.NestedString(widget.Object, "status", "made")
		return found == made.Name, nil
	})
	if err != nil {
		return err
	}
	owned := &corev1.ConfigMap{}
	if err := direct.Get(ctx, made, owned); err != nil || owned.Data["size"] != "3" {
		return fmt.Errorf("made %+v: %v", owned.Data, err)
	}
	// The owner's controller sees that what it owns was deleted.
	if err := direct.Delete(ctx, owned); err != nil {
		return err
	}
	err = until(ctx, "the ConfigMap made anew", func() (bool, error) {
		return direct.Get(ctx, made, owned) == nil, nil
	})
	if err != nil {
		return err
	}
	if err := direct.Delete(ctx, widget, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		return err
	}
	return until(ctx, "widget and ConfigMap gone", func() (bool, error) {
		return apierrors.IsNotFound(direct.Get(ctx, key, widget)) && apierrors.IsNotFound(direct.Get(ctx, made, owned)), nil
	})
}
