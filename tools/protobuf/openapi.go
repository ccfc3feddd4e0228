package main

import (
	"path/filepath"
	"strconv"
	"strings"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	openapiv3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The messages of OpenAPI documents, which generic/protobuf/openapi.py reads the tables of.
var documents = map[string]protoreflect.FileDescriptor{
	"generic/protobuf/openapi_v2.json": openapiv2.File_openapiv2_OpenAPIv2_proto,
	"generic/protobuf/openapi_v3.json": openapiv3.File_openapiv3_OpenAPIv3_proto,
}

// Of fields that hold a map: which keys of the object are in it.
var patterns = map[protoreflect.Name]string{
	"additional_properties":   "*",
	"vendor_extension":        "x-*",
	"specification_extension": "x-*",
	"path":                    "/*",
	"response_code":           "2*",
	"response_or_reference":   "2*",
}

// writeOpenAPI writes tables in which a field is `jsonName[,option] type`. A name that ends in `*` is a map's. Option
// `oneof`: the message is this field or another. Option `itself`: in JSON the message is this list, or its only item.
func writeOpenAPI(checkout string) {
	for file, descriptor := range documents {
		made := &table{Kubernetes: kubernetesVersion(), Kinds: map[string]string{}, Types: map[string]map[string]string{}}
		messages := descriptor.Messages()
		for i := range messages.Len() {
			message := messages.Get(i)
			made.Types[string(message.Name())] = layout(message)
		}
		made.write(filepath.Join(checkout, filepath.FromSlash(file)))
	}
}

func layout(message protoreflect.MessageDescriptor) map[string]string {
	made := map[string]string{}
	fields := message.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		made[strconv.Itoa(int(field.Number()))] = jsonName(field, fields.Len()) + " " + kindOf(field)
	}
	return made
}

func jsonName(field protoreflect.FieldDescriptor, siblings int) string {
	name := field.JSONName()
	isNamed := field.Kind() == protoreflect.MessageKind && strings.HasPrefix(string(field.Message().Name()), "Named")
	switch pattern, known := patterns[field.Name()]; {
	case field.IsList() && isNamed:
		if !known {
			fail("%v: of which keys?", field.FullName())
		}
		return pattern
	case field.Name() == "_ref":
		return "$ref"
	case field.ContainingOneof() != nil:
		return name + ",oneof"
	case field.IsList() && siblings == 1:
		return name + ",itself"
	}
	return name
}

func kindOf(field protoreflect.FieldDescriptor) string {
	list := ""
	if field.IsList() {
		list = "[]"
	}
	switch kind := field.Kind(); kind {
	case protoreflect.MessageKind:
		return list + string(field.Message().Name())
	case protoreflect.DoubleKind:
		return list + "float64"
	case protoreflect.StringKind, protoreflect.BoolKind, protoreflect.Int64Kind:
		return list + kind.String()
	default:
		fail("%v: what is %v?", field.FullName(), kind)
		return ""
	}
}
