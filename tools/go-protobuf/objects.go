package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"reflect"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

var object = meta.ObjectMeta{Name: "one", Labels: map[string]string{"b": "2", "a": "1"}}

// objects of which each has something of its own: bytes, quantities, fine times, what is a number or text.
func objects(ctx context.Context, clients *kubernetes.Clientset) {
	configMaps(ctx, clients)
	deployments(ctx, clients)
	leasesAndEvents(ctx, clients)
	requests(ctx, clients)
	pod := &core.Pod{ObjectMeta: object, Spec: podSpec()}
	pod, err := clients.CoreV1().Pods(namespace).Create(ctx, pod, meta.CreateOptions{})
	must(err)
	port := pod.Spec.Containers[0].LivenessProbe.HTTPGet.Port
	check("pod", port.IntVal == 80 && pod.Status.Phase == core.PodPending)
}

func configMaps(ctx context.Context, clients *kubernetes.Clientset) {
	maps := clients.CoreV1().ConfigMaps(namespace)
	wanted := &core.ConfigMap{ObjectMeta: object, Data: map[string]string{"k": "v"}, BinaryData: map[string][]byte{"b": {0, 255}}}
	made, err := maps.Create(ctx, wanted, meta.CreateOptions{})
	must(err)
	managed := string(made.ManagedFields[0].FieldsV1.Raw)
	check("config map", made.Data["k"] == "v" && string(made.BinaryData["b"]) == "\x00\xff" && made.UID != "")
	check("config map, who manages it", strings.Contains(managed, "f:binaryData"))
	got, err := maps.Get(ctx, "one", meta.GetOptions{})
	must(err)
	check("config map, read", reflect.DeepEqual(made, got))
	list, err := maps.List(ctx, meta.ListOptions{LabelSelector: "a=1"})
	must(err)
	check("config maps", len(list.Items) == 1 && list.ResourceVersion != "")
	got.Data["k"] = "w"
	got, err = maps.Update(ctx, got, meta.UpdateOptions{})
	must(err)
	check("config map, written", got.Data["k"] == "w" && got.ResourceVersion != made.ResourceVersion)
}

func deployments(ctx context.Context, clients *kubernetes.Clientset) {
	all := clients.AppsV1().Deployments(namespace)
	most := intstr.FromString("25%")
	deployment, err := all.Create(ctx, &apps.Deployment{ObjectMeta: object, Spec: apps.DeploymentSpec{
		Replicas: new(int32(2)),
		Selector: &meta.LabelSelector{MatchLabels: object.Labels},
		Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: object.Labels}, Spec: podSpec()},
		Strategy: apps.DeploymentStrategy{
			Type:          apps.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &apps.RollingUpdateDeployment{MaxSurge: &most},
		},
	}}, meta.CreateOptions{})
	must(err)
	cpu := deployment.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().String()
	check("deployment", deployment.Spec.Strategy.RollingUpdate.MaxSurge.StrVal == "25%" && cpu == "500m")
	scale, err := all.GetScale(ctx, "one", meta.GetOptions{})
	must(err)
	check("scale", scale.Spec.Replicas == 2)
	change := []byte(`{"spec":{"replicas":3}}`)
	deployment, err = all.Patch(ctx, "one", types.StrategicMergePatchType, change, meta.PatchOptions{})
	must(err)
	check("deployment, patched", *deployment.Spec.Replicas == 3)
}

func leasesAndEvents(ctx context.Context, clients *kubernetes.Clientset) {
	now := meta.NowMicro()
	lease := &coordination.Lease{ObjectMeta: object, Spec: coordination.LeaseSpec{RenewTime: &now}}
	lease, err := clients.CoordinationV1().Leases(namespace).Create(ctx, lease, meta.CreateOptions{})
	must(err)
	check("lease", lease.Spec.RenewTime.Time.Equal(now.Truncate(time.Microsecond)))
	event, err := clients.CoreV1().Events(namespace).Create(ctx, &core.Event{
		ObjectMeta: object, Reason: "Tried", Type: "Normal", EventTime: now, Action: "Try",
		ReportingController: "example.com/try", ReportingInstance: "1",
		InvolvedObject: core.ObjectReference{Kind: "Pod", Namespace: namespace, Name: "one"},
	}, meta.CreateOptions{})
	must(err)
	check("event", event.Reason == "Tried" && event.FirstTimestamp.IsZero())
}

func requests(ctx context.Context, clients *kubernetes.Clientset) {
	all := clients.CertificatesV1().CertificateSigningRequests()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(err)
	asked := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})
	made, err := all.Create(ctx, &certificates.CertificateSigningRequest{
		ObjectMeta: meta.ObjectMeta{Name: namespace},
		Spec: certificates.CertificateSigningRequestSpec{
			Request: asked, SignerName: "example.com/none", Usages: []certificates.KeyUsage{"client auth"},
		},
	}, meta.CreateOptions{})
	must(err)
	check("signing request", len(made.Spec.Groups) > 0 && bytes.Equal(made.Spec.Request, asked))
	must(all.Delete(ctx, namespace, meta.DeleteOptions{}))
}

func podSpec() core.PodSpec {
	return core.PodSpec{Containers: []core.Container{{
		Name: "c", Image: "example.com/image",
		LivenessProbe: &core.Probe{ProbeHandler: core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Port: intstr.FromInt32(80)}}},
		Resources: core.ResourceRequirements{Requests: core.ResourceList{
			core.ResourceCPU: resource.MustParse("0.5"), core.ResourceMemory: resource.MustParse("64Mi"),
		}},
	}}}
}
