package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// objects reads a stream of manifests, with stringData folded into data as an API server does: kustomize passes it on as it is written,
// a sealed manifest is always opened into data.
func objects(stream []byte) (map[string]any, error) {
	out := map[string]any{}
	for dec := yaml.NewDecoder(bytes.NewReader(stream)); ; {
		var o map[string]any
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, errors.New("the output is not YAML")
		}
		if plain, ok := o["stringData"].(map[string]any); ok {
			data := map[string]any{}
			for k, v := range plain {
				data[k] = base64.StdEncoding.EncodeToString([]byte(fmt.Sprint(v)))
			}
			o["data"] = data
			delete(o, "stringData")
		}
		meta, _ := o["metadata"].(map[string]any)
		out[fmt.Sprint(o["kind"], " ", meta["name"])] = o
	}
}

// sameObjects compares two streams by what they say.
func sameObjects(want, got []byte) error {
	w, err := objects(want)
	if err != nil {
		return err
	}
	g, err := objects(got)
	if err != nil {
		return err
	}
	if len(w) == 0 || len(w) != len(g) {
		return fmt.Errorf("%d objects came out, %d were expected", len(g), len(w))
	}
	for name := range w {
		if !reflect.DeepEqual(w[name], g[name]) {
			return fmt.Errorf("%s is not what it was", name)
		}
	}
	return nil
}

// secretsOf keeps the Secrets of a stream that kustomize wrote.
func secretsOf(stream []byte) []byte {
	var kept [][]byte
	for doc := range bytes.SplitSeq(stream, []byte("\n---\n")) {
		if bytes.Contains(doc, []byte("kind: Secret\n")) {
			kept = append(kept, doc)
		}
	}
	return bytes.Join(kept, []byte("\n---\n"))
}
