package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	tls, yes := "kubernetes.io/tls", true
	full := &NativeSecret{
		Namespace: "prod", Name: "db", Type: &tls, Immutable: &yes,
		Labels:      map[string]string{"b": "true", "a": "x"},
		Annotations: map[string]string{"note": "a: b # c\nd"},
		Values:      map[string]Value{"tls.key": {Bytes: []byte("k")}, "on": {Bytes: []byte{}}, ".a": {Bytes: []byte{0xff}}},
	}
	tests := []struct {
		name, yaml, json string
		secret           *NativeSecret
	}{
		{"everything", `apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
  labels:
    a: x
    b: "true"
  annotations:
    note: "a: b # c\nd"
type: kubernetes.io/tls
immutable: true
data:
  .a: /w==
  "on": ""
  tls.key: aw==
`, `{
  "apiVersion": "v1",
  "kind": "Secret",
  "metadata": {
    "name": "db",
    "namespace": "prod",
    "labels": {
      "a": "x",
      "b": "true"
    },
    "annotations": {
      "note": "a: b # c\nd"
    }
  },
  "type": "kubernetes.io/tls",
  "immutable": true,
  "data": {
    ".a": "/w==",
    "on": "",
    "tls.key": "aw=="
  }
}
`, full},
		{"almost nothing", `apiVersion: v1
kind: Secret
metadata:
  name: "1"
data: {}
`, `{
  "apiVersion": "v1",
  "kind": "Secret",
  "metadata": {
    "name": "1"
  },
  "data": {}
}
`, &NativeSecret{Name: "1", Values: map[string]Value{}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, asJSON := range []bool{false, true} {
				want := test.yaml
				if asJSON {
					want = test.json
				}
				text := test.secret.Text(asJSON)
				if diff := cmp.Diff(want, string(text)); diff != "" {
					t.Errorf("text (-want +got):\n%s", diff)
				}
				items := parse(t, text).Items()
				if len(items) != 1 || items[0].Kind != Native {
					t.Fatalf("not one native Secret")
				}
				got, err := items[0].Native()
				if err != nil {
					t.Fatal(err)
				}
				for key, v := range got.Values {
					got.Values[key] = Value{Bytes: v.Bytes}
				}
				back := *test.secret
				back.HasData = true // it is always written
				if diff := cmp.Diff(&back, got); diff != "" {
					t.Errorf("read back (-want +got):\n%s", diff)
				}
			}
		})
	}
}
