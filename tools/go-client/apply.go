package main

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
)

func applyConfigurations(ctx context.Context, b *Bench) error {
	client := b.Client.AppsV1().Deployments(b.Namespace)
	labels := map[string]string{"app": "applied"}
	wanted := appsapply.Deployment("applied", b.Namespace).WithSpec(appsapply.DeploymentSpec().
		WithReplicas(2).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().
			WithContainers(coreapply.Container().WithName("c").WithImage("image:1")))))
	first, err := client.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	again, err := client.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil || again.ResourceVersion != first.ResourceVersion {
		return fmt.Errorf("applying the same again wrote something: %v", err)
	}
	other := appsapply.Deployment("applied", b.Namespace).WithSpec(appsapply.DeploymentSpec().WithReplicas(5))
	_, err = client.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "one"`) {
		return fmt.Errorf("no conflict, but %w", err)
	}
	forced, err := client.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil || *forced.Spec.Replicas != 5 {
		return fmt.Errorf("force: %v", err)
	}
	owned, err := appsapply.ExtractDeployment(forced, "two")
	if err != nil || *owned.Spec.Replicas != 5 || owned.Spec.Template != nil {
		return fmt.Errorf("extracted %+v: %v", owned, err)
	}
	status := appsapply.Deployment("applied", b.Namespace).WithStatus(appsapply.DeploymentStatus().WithReplicas(3))
	reported, err := client.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "controller"})
	if err != nil || reported.Status.Replicas != 3 {
		return fmt.Errorf("status: %v", err)
	}
	scale, err := client.GetScale(ctx, "applied", metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = 1
	if _, err := client.UpdateScale(ctx, "applied", scale, metav1.UpdateOptions{FieldManager: "scaler"}); err != nil {
		return err
	}
	left, err := client.Get(ctx, "applied", metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, entry := range left.ManagedFields {
		if entry.Manager == "two" && strings.Contains(string(entry.FieldsV1.Raw), "replicas") {
			return fmt.Errorf("the scaler took the replicas, but their last owner was not told")
		}
	}
	return client.Delete(ctx, "applied", metav1.DeleteOptions{})
}
