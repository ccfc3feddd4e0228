// Command protobuf writes down how Kubernetes lays its types out on the wire: each field's number, JSON name and type.
//
// It looks at the Go types themselves, by reflection, and writes the tables that generic/protobuf/definitions.py reads.
// README.md says how to run it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
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
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// Where the types of a module are written to: those of each server beside it.
var files = map[string]string{
	"apimachinery":            "generic/protobuf/meta.json",
	"api":                     "kubeapi/protobuf/fields.json",
	"apiextensions-apiserver": "extensions/definitions/fields.json",
	"kube-aggregator":         "aggregator/apiservices/fields.json",
}

var served = []func(*runtime.Scheme) error{
	admissionregistration.AddToScheme,
	apps.AddToScheme,
	authentication.AddToScheme,
	authorization.AddToScheme,
	autoscalingv1.AddToScheme,
	autoscalingv2.AddToScheme,
	batch.AddToScheme,
	certificates.AddToScheme,
	coordination.AddToScheme,
	core.AddToScheme,
	discovery.AddToScheme,
	events.AddToScheme,
	flowcontrol.AddToScheme,
	networking.AddToScheme,
	node.AddToScheme,
	policy.AddToScheme,
	rbac.AddToScheme,
	resourceapi.AddToScheme,
	scheduling.AddToScheme,
	storage.AddToScheme,
	storagemigration.AddToScheme,
	apiextensions.AddToScheme,
	apiregistration.AddToScheme,
}

// What every API group answers with, or takes, beside its own kinds.
var shared = map[string]any{
	"meta.k8s.io/v1 DeleteOptions":                  meta.DeleteOptions{},
	"meta.k8s.io/v1 PartialObjectMetadata":          meta.PartialObjectMetadata{},
	"meta.k8s.io/v1 PartialObjectMetadataList":      meta.PartialObjectMetadataList{},
	"meta.k8s.io/v1beta1 PartialObjectMetadata":     metav1beta1.PartialObjectMetadata{},
	"meta.k8s.io/v1beta1 PartialObjectMetadataList": metav1beta1.PartialObjectMetadataList{},
	"v1 APIGroup":        meta.APIGroup{},
	"v1 APIGroupList":    meta.APIGroupList{},
	"v1 APIResourceList": meta.APIResourceList{},
	"v1 APIVersions":     meta.APIVersions{},
	"v1 Status":          meta.Status{},
}

// These write themselves; generic/protobuf/special.py knows how, by name.
var opaque = []any{
	resource.Quantity{}, meta.Time{}, meta.MicroTime{}, meta.Duration{}, meta.FieldsV1{}, runtime.RawExtension{},
	intstr.IntOrString{}, apiextensions.JSON{}, apiextensions.JSONSchemaPropsOrArray{},
	apiextensions.JSONSchemaPropsOrBool{}, apiextensions.JSONSchemaPropsOrStringArray{},
}

// table is one output file. A field is written `jsonName[,option...] goType`, under its number. The name is empty for an
// embedded struct. Option `itself`: the message is this list in JSON, not an object that holds it.
type table struct {
	Kubernetes string                       `json:"kubernetes"`
	Kinds      map[string]string            `json:"kinds"`
	Types      map[string]map[string]string `json:"types"`
}

type walker struct {
	opaque map[reflect.Type]bool
	tables map[string]*table // by module
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: protobuf CHECKOUT")
	}
	version := kubernetesVersion()
	walk := walker{map[reflect.Type]bool{}, map[string]*table{}}
	for module := range files {
		walk.tables[module] = &table{version, map[string]string{}, map[string]map[string]string{}}
	}
	for _, value := range opaque {
		walk.opaque[reflect.TypeOf(value)] = true
	}
	for kind, value := range shared {
		walk.tables["apimachinery"].Kinds[kind] = walk.name(reflect.TypeOf(value))
	}

	scheme := runtime.NewScheme()
	for _, add := range served {
		if err := add(scheme); err != nil {
			fail("%v", err)
		}
	}
	for kind, goType := range scheme.AllKnownTypes() {
		if isBody(kind, goType) {
			walk.tables[module(goType)].Kinds[kind.GroupVersion().String()+" "+kind.Kind] = walk.name(goType)
		}
	}
	for module, file := range files {
		walk.tables[module].write(filepath.Join(os.Args[1], filepath.FromSlash(file)))
	}
	writeOpenAPI(os.Args[1])
}

// isBody leaves out what no client sends as a request's body: lists, options of the query, what all groups share, and
// what servers send to webhooks.
func isBody(kind schema.GroupVersionKind, goType reflect.Type) bool {
	return kind.Version != runtime.APIVersionInternal &&
		module(goType) != "apimachinery" &&
		!strings.HasSuffix(kind.Kind, "List") && !strings.HasSuffix(kind.Kind, "Options") &&
		kind.Kind != "ConversionReview"
}

// name is the type's name in OpenAPI; its fields are in the table from here on.
func (w walker) name(goType reflect.Type) string {
	path := strings.Split(goType.PkgPath(), "/")
	name := "io.k8s." + strings.Join(append(path[1:], goType.Name()), ".")
	into := w.tables[module(goType)]
	if _, known := into.Types[name]; !known && !w.opaque[goType] {
		fields := map[string]string{}
		into.Types[name] = fields
		w.describe(goType, fields)
	}
	return name
}

func module(goType reflect.Type) string {
	return strings.Split(goType.PkgPath(), "/")[1]
}

func (w walker) describe(goType reflect.Type, fields map[string]string) {
	if goType.Kind() != reflect.Struct {
		// A named list with an encoding of its own is a message that holds the items, and nothing else.
		fields["1"] = ",itself " + w.shape(reflect.SliceOf(goType.Elem()))
		return
	}
	if goType.Implements(reflect.TypeFor[json.Marshaler]()) {
		fail("%v prints itself: it belongs to the opaque ones", goType)
	}
	for i := range goType.NumField() {
		field := goType.Field(i)
		tag, numbered := field.Tag.Lookup("protobuf")
		if !numbered {
			if field.Name != "TypeMeta" {
				fail("%v.%s has no number", goType, field.Name)
			}
			continue
		}
		parts := strings.Split(tag, ",")
		name := field.Tag.Get("json")
		if name == "" || strings.HasPrefix(name, ",") {
			if !field.Anonymous {
				fail("%v.%s has no JSON name", goType, field.Name)
			}
			name = "" // In JSON its fields stand among those of the struct it is embedded in.
		}
		if fields[parts[1]] != "" {
			fail("%v.%s has the number of another field", goType, field.Name)
		}
		fields[parts[1]] = name + " " + w.shape(field.Type)
	}
}

// shape writes a type down as Go does, with OpenAPI's names: `*int32`, `[]string`, `map[string]io.k8s....Quantity`.
// The wire type follows from it: what the tags say of that is not always so (DeleteOptions.propagationPolicy).
func (w walker) shape(goType reflect.Type) string {
	switch kind := goType.Kind(); {
	case kind == reflect.Pointer:
		return "*" + w.shape(goType.Elem())
	case kind == reflect.Struct || isWrapped(goType):
		return w.name(goType)
	case kind == reflect.Slice && goType.Elem().Kind() == reflect.Uint8:
		return "[]byte"
	case kind == reflect.Slice:
		return "[]" + w.shape(goType.Elem())
	case kind == reflect.Map && goType.Key().Kind() == reflect.String:
		return "map[string]" + w.shape(goType.Elem())
	case kind == reflect.String:
		return "string"
	case kind == reflect.Float64 || kind == reflect.Bool || kind == reflect.Int32 || kind == reflect.Int64:
		return kind.String()
	default:
		fail("what is %v?", goType)
		return ""
	}
}

func isWrapped(goType reflect.Type) bool {
	_, found := reflect.PointerTo(goType).MethodByName("Unmarshal")
	return goType.Kind() == reflect.Slice && found
}

func kubernetesVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "k8s.io/api" {
			return "1." + strings.Split(module.Version, ".")[1]
		}
	}
	fail("built without k8s.io/api")
	return ""
}

// write puts each kind and type on a line of its own, for readable diffs.
func (t *table) write(path string) {
	var out strings.Builder
	fmt.Fprintf(&out, "{\n\"kubernetes\": %s,\n\"kinds\": {\n", quoted(t.Kubernetes))
	kinds := sortedKeys(t.Kinds)
	for i, kind := range kinds {
		fmt.Fprintf(&out, "%s: %s%s\n", quoted(kind), quoted(t.Kinds[kind]), comma(i, len(kinds)))
	}
	out.WriteString("},\n\"types\": {\n")
	names := sortedKeys(t.Types)
	for i, name := range names {
		fmt.Fprintf(&out, "%s: {", quoted(name))
		numbers := sortedKeys(t.Types[name])
		slices.SortFunc(numbers, func(a, b string) int { return number(a) - number(b) })
		for j, key := range numbers {
			fmt.Fprintf(&out, "%s: %s%s", quoted(key), quoted(t.Types[name][key]), comma(j, len(numbers)))
		}
		fmt.Fprintf(&out, "}%s\n", comma(i, len(names)))
	}
	out.WriteString("}\n}\n")
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		fail("%v", err)
	}
}

func sortedKeys[V any](values map[string]V) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		fail("%v", err)
	}
	return value
}

func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

func comma(index, length int) string {
	if index == length-1 {
		return ""
	}
	return ","
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
