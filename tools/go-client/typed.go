package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// object is what all typed objects are to a test.
type object interface{ metav1.Object }

// verbs is the part of a typed client that every kind has.
type verbs[T object, L any] interface {
	Create(context.Context, T, metav1.CreateOptions) (T, error)
	Get(context.Context, string, metav1.GetOptions) (T, error)
	Update(context.Context, T, metav1.UpdateOptions) (T, error)
	List(context.Context, metav1.ListOptions) (L, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
	Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (T, error)
}

func exercise[T object, L any](ctx context.Context, client verbs[T, L], obj T) error {
	name := obj.GetName()
	fail := func(verb string, err error) error { return fmt.Errorf("%s %T %s: %w", verb, obj, name, err) }
	made, err := client.Create(ctx, obj, metav1.CreateOptions{})
	if err != nil {
		return fail("create", err)
	}
	created := made.GetCreationTimestamp()
	if made.GetUID() == "" || made.GetResourceVersion() == "" || created.IsZero() {
		return fail("create", fmt.Errorf("no uid, version or time: %+v", made))
	}
	if _, err := client.Create(ctx, obj, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fail("create again", err)
	}
	got, err := client.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fail("get", err)
	}
	got.SetLabels(map[string]string{"seen": "yes"})
	if got, err = client.Update(ctx, got, metav1.UpdateOptions{}); err != nil {
		return fail("update", err)
	}
	made.SetLabels(map[string]string{"seen": "stale"})
	if _, err := client.Update(ctx, made, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fail("update of a stale one", err)
	}
	for kind, body := range map[types.PatchType]string{
		types.MergePatchType:          `{"metadata":{"annotations":{"a":"1"}}}`,
		types.StrategicMergePatchType: `{"metadata":{"annotations":{"b":"2"}}}`,
		types.JSONPatchType:           `[{"op":"add","path":"/metadata/labels/c","value":"3"}]`,
	} {
		if _, err := client.Patch(ctx, name, kind, []byte(body), metav1.PatchOptions{}); err != nil {
			return fail("patch", err)
		}
	}
	if got, err = client.Get(ctx, name, metav1.GetOptions{}); err != nil {
		return fail("get", err)
	}
	if got.GetAnnotations()["a"] != "1" || got.GetAnnotations()["b"] != "2" || got.GetLabels()["c"] != "3" {
		return fail("patch", fmt.Errorf("lost: %v %v", got.GetAnnotations(), got.GetLabels()))
	}
	if _, err := client.List(ctx, metav1.ListOptions{LabelSelector: "seen=yes"}); err != nil {
		return fail("list", err)
	}
	uid := got.GetUID()
	if err := client.Delete(ctx, name, *metav1.NewPreconditionDeleteOptions("not-" + string(uid))); !apierrors.IsConflict(err) {
		return fail("delete of another uid", err)
	}
	zero := int64(0)
	options := metav1.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &uid}}
	if err := client.Delete(ctx, name, options); err != nil {
		return fail("delete", err)
	}
	if _, err := client.Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fail("get after delete", err)
	}
	return nil
}

func manyKinds(ctx context.Context, b *Bench) error {
	meta := metav1.ObjectMeta{Name: "one", Finalizers: nil}
	labels := map[string]string{"app": "one"}
	pod := corev1.PodSpec{Containers: []corev1.Container{{
		Name: "c", Image: "image:1", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
		Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
		LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
			HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")}}},
	}}}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	job := pod
	job.RestartPolicy = corev1.RestartPolicyNever
	jobTemplate := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: job}
	maxUnavailable, path := intstr.FromInt32(1), networkingv1.PathTypePrefix
	holder, now := "me", metav1.NowMicro()
	c, n := b.Client, b.Namespace
	core, apps := c.CoreV1(), c.AppsV1()
	for _, run := range []func() error{
		func() error {
			return exercise(ctx, core.ConfigMaps(n), &corev1.ConfigMap{ObjectMeta: meta,
				Data: map[string]string{"k": "v\n\x01é"}, BinaryData: map[string][]byte{"b": {0, 255}}})
		},
		func() error {
			return exercise(ctx, core.Secrets(n), &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"k": "v"}})
		},
		func() error { return exercise(ctx, core.Pods(n), &corev1.Pod{ObjectMeta: meta, Spec: pod}) },
		func() error {
			return exercise(ctx, core.Services(n), &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
				Selector: labels, Type: corev1.ServiceTypeNodePort,
				Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}}})
		},
		func() error { return exercise(ctx, core.ServiceAccounts(n), &corev1.ServiceAccount{ObjectMeta: meta}) },
		func() error {
			return exercise(ctx, core.Nodes(), &corev1.Node{ObjectMeta: meta, Spec: corev1.NodeSpec{
				Taints: []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoSchedule}}}})
		},
		func() error {
			return exercise(ctx, core.ResourceQuotas(n), &corev1.ResourceQuota{ObjectMeta: meta,
				Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("1k")}}})
		},
		func() error {
			return exercise(ctx, apps.Deployments(n), &appsv1.Deployment{ObjectMeta: meta,
				Spec: appsv1.DeploymentSpec{Selector: selector, Template: template}})
		},
		func() error {
			return exercise(ctx, apps.StatefulSets(n), &appsv1.StatefulSet{ObjectMeta: meta,
				Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template, ServiceName: "one"}})
		},
		func() error {
			return exercise(ctx, apps.DaemonSets(n), &appsv1.DaemonSet{ObjectMeta: meta,
				Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template}})
		},
		func() error {
			return exercise(ctx, c.BatchV1().CronJobs(n), &batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{
				Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: jobTemplate}}}})
		},
		func() error {
			return exercise(ctx, c.CoordinationV1().Leases(n), &coordinationv1.Lease{ObjectMeta: meta,
				Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now}})
		},
		func() error {
			return exercise(ctx, c.DiscoveryV1().EndpointSlices(n), &discoveryv1.EndpointSlice{ObjectMeta: meta,
				AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}})
		},
		func() error {
			return exercise(ctx, c.NetworkingV1().Ingresses(n), &networkingv1.Ingress{ObjectMeta: meta,
				Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: "a.example.com",
					IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
						Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &path, Backend: networkingv1.IngressBackend{
							Service: &networkingv1.IngressServiceBackend{Name: "one",
								Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}}})
		},
		func() error {
			return exercise(ctx, c.PolicyV1().PodDisruptionBudgets(n), &policyv1.PodDisruptionBudget{ObjectMeta: meta,
				Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector, MaxUnavailable: &maxUnavailable}})
		},
		func() error {
			return exercise(ctx, c.AutoscalingV2().HorizontalPodAutoscalers(n), &autoscalingv2.HorizontalPodAutoscaler{
				ObjectMeta: meta, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 3,
					ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "one"}}})
		},
		func() error {
			return exercise(ctx, c.RbacV1().ClusterRoles(), &rbacv1.ClusterRole{ObjectMeta: meta,
				Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}}}})
		},
		func() error {
			return exercise(ctx, c.SchedulingV1().PriorityClasses(), &schedulingv1.PriorityClass{ObjectMeta: meta, Value: 7})
		},
		func() error {
			return exercise(ctx, c.StorageV1().StorageClasses(), &storagev1.StorageClass{ObjectMeta: meta, Provisioner: "a.b/c"})
		},
	} {
		if err := run(); err != nil {
			return err
		}
	}
	return nil
}
