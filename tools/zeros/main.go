// Command zeros writes down which fields Kubernetes writes though nobody said anything, and which it leaves out though
// somebody did.
//
// Go leaves a field out only if its tag says omitempty and its type can be empty: a missing time is written as null, a
// missing number without the tag as 0, a missing struct as one with the zeros of its own fields; an empty text or list
// with the tag is gone, whoever sent it, and one behind a pointer stays. README.md says how to run it.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resourceapi "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	storagemigration "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

var served = []func(*runtime.Scheme) error{
	admissionregistration.AddToScheme, apps.AddToScheme, authentication.AddToScheme, authorization.AddToScheme,
	autoscalingv1.AddToScheme, autoscalingv2.AddToScheme, batch.AddToScheme, certificates.AddToScheme,
	coordination.AddToScheme, core.AddToScheme, discovery.AddToScheme, events.AddToScheme, flowcontrol.AddToScheme,
	networking.AddToScheme, node.AddToScheme, policy.AddToScheme, rbac.AddToScheme, resourceapi.AddToScheme,
	scheduling.AddToScheme, storage.AddToScheme, storagemigration.AddToScheme,
}

var marshaler = reflect.TypeFor[json.Marshaler]()

type written struct {
	Zeros map[string]json.RawMessage `json:"zeros,omitempty"` // always there
	Drops string                     `json:"drops,omitempty"` // never there when empty; names between spaces
}

type walker struct {
	found map[string]*written
	seen  map[reflect.Type]bool
}

func main() {
	scheme := runtime.NewScheme()
	for _, add := range served {
		if err := add(scheme); err != nil {
			fail(err)
		}
	}
	walk := walker{found: map[string]*written{}, seen: map[reflect.Type]bool{}}
	for kind, found := range scheme.AllKnownTypes() {
		if !strings.HasSuffix(kind.Kind, "List") && kind.Version != runtime.APIVersionInternal {
			walk.visit(found)
		}
	}
	names := slices.Sorted(maps.Keys(walk.found))
	for at, name := range names {
		text, err := json.Marshal(walk.found[name])
		if err != nil {
			fail(err)
		}
		fmt.Printf("%s%q: %s", map[bool]string{true: "{\n", false: ",\n"}[at == 0], name, text)
	}
	fmt.Println("\n}")
}

func (w walker) visit(found reflect.Type) {
	for found.Kind() == reflect.Pointer || found.Kind() == reflect.Slice || found.Kind() == reflect.Map {
		found = found.Elem()
	}
	if found.Kind() != reflect.Struct || w.seen[found] || found.Implements(marshaler) ||
		reflect.PointerTo(found).Implements(marshaler) {
		return
	}
	w.seen[found] = true
	made := &written{Zeros: map[string]json.RawMessage{}}
	w.fields(found, made)
	made.Drops = strings.TrimSpace(made.Drops)
	w.found[definition(found)] = made
}

func (w walker) fields(found reflect.Type, made *written) {
	for at := range found.NumField() {
		field := found.Field(at)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() {
			continue
		}
		if name == "" && field.Anonymous {
			if field.Type.Name() != "TypeMeta" {
				w.visit(field.Type)
				w.fields(field.Type, made)
			}
			continue
		}
		w.visit(field.Type)
		if field.Type.Name() == "ObjectMeta" && strings.HasSuffix(field.Type.PkgPath(), "meta/v1") && isRoot(found) {
			continue
		}
		switch kind := field.Type.Kind(); {
		case strings.Contains(options, "omitempty") && kind != reflect.Struct:
			if kind != reflect.Pointer {
				made.Drops += " " + name
			}
		case !strings.Contains(options, "omitzero"):
			made.Zeros[name] = zero(field.Type)
		}
	}
}

// A struct is written with its own zeros, which whoever reads the table fills in by itself.
func zero(found reflect.Type) json.RawMessage {
	if found.Kind() == reflect.Struct && !found.Implements(marshaler) && !reflect.PointerTo(found).Implements(marshaler) {
		return json.RawMessage("{}")
	}
	written, err := json.Marshal(reflect.New(found).Interface())
	if err != nil {
		fail(err)
	}
	return written
}

func isRoot(found reflect.Type) bool {
	_, there := found.FieldByName("TypeMeta")
	return there
}

// As the OpenAPI documents call it.
func definition(found reflect.Type) string {
	path := strings.ReplaceAll(found.PkgPath(), "/", ".")
	return strings.Replace(path, "k8s.io.", "io.k8s.", 1) + "." + found.Name()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
